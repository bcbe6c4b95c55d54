package version

import "testing"

func TestParse(t *testing.T) {
	f := func(in, label, deb, rpm, apk, arch string) {
		t.Helper()
		v, err := Parse(in)
		if want := (Version{label, deb, rpm, apk, arch}); err != nil || v != want {
			t.Errorf("Parse(%q) = %+v, %v; want %+v", in, v, err, want)
			return
		}
		if back, err := FromDeb(v.Deb); err != nil || back != v {
			t.Errorf("FromDeb(%q) = %+v, %v; want %+v", v.Deb, back, err, v)
		}
	}
	f("1.2.3", "1.2.3", "1.2.3", "1.2.3", "1.2.3", "1.2.3")
	f("v1.2.3", "1.2.3", "1.2.3", "1.2.3", "1.2.3", "1.2.3")
	f("0.0.0", "0.0.0", "0.0.0", "0.0.0", "0.0.0", "0.0.0")
	f("1.2.3-rc1", "1.2.3-rc1", "1.2.3~rc1", "1.2.3~rc1", "1.2.3_rc1", "1.2.3rc1")
	f("v1.2.3-rc.1", "1.2.3-rc.1", "1.2.3~rc.1", "1.2.3~rc.1", "1.2.3_rc1", "1.2.3rc1")
	f("v1.2.3-alpha", "1.2.3-alpha", "1.2.3~alpha", "1.2.3~alpha", "1.2.3_alpha0", "1.2.3alpha0")
	f("v1.2.3-wrong", "1.2.3-wrong", "1.2.3~wrong", "1.2.3~wrong", "", "1.2.3wrong0")
	f("v1.2.3-4-gabc1234", "1.2.3-4-gabc1234", "1.2.3+4.gabc1234", "1.2.3^4.gabc1234", "1.2.3_git4", "1.2.3+4.gabc1234")
	f("v1.2.3-rc1-4-gabc1234", "1.2.3-rc1-4-gabc1234", "1.2.3~rc1+4.gabc1234", "1.2.3~rc1^4.gabc1234", "1.2.3_rc1_git4", "1.2.3rc1+4.gabc1234")
	f("v1.2.3-dirty", "1.2.3-dirty", "1.2.3+0.dirty", "1.2.3^0.dirty", "1.2.3_git0_p1", "1.2.3+0.dirty")
	f("v1.2.3-4-gabc1234-dirty", "1.2.3-4-gabc1234-dirty", "1.2.3+4.gabc1234.dirty", "1.2.3^4.gabc1234.dirty", "1.2.3_git4_p1", "1.2.3+4.gabc1234.dirty")
	f("20.11.300", "20.11.300", "20.11.300", "20.11.300", "20.11.300", "20.11.300")
}

func TestParseRefuses(t *testing.T) {
	f := func(in string) {
		t.Helper()
		if v, err := Parse(in); err == nil {
			t.Errorf("Parse(%q) = %+v, want an error", in, v)
		}
	}
	for _, in := range []string{
		"", "v", "1", "1.2", "1.2.3.4", "01.2.3", "1.2.3-1", "1.2.3-RC1", "1.2.3-rc_1", "1.2.3+x", "1.2.3~rc1",
		"1.2.3-rc-1", "1.2.3-0-gabc1234", "1.2.3-4-gxyz", "1.2.3\n", " 1.2.3", "1.2.3;id", "vv1.2.3", "latest",
		"1.2.3-rc1a", "1.2.3-rc01", "1.2.3-beta.2.1", "1.2.3-rc.", "1.2.3-deb12", "1.2.3-ubuntu22",
	} {
		f(in)
	}
}

func TestFromDebRefuses(t *testing.T) {
	for _, in := range []string{"", "1:1.2.3", "1.2.3-1", "1.2.3+0", "1.2.3+4", "1.2.3+0.gabcdef", "1.2.3~", "1.2.3~rc1~deb12", "1.2.3~~rc1", "1.2.3~~deb12", "1.2.3~deb12~deb12", "1.2.3~deb.", "1.2.3~~rc1~el9"} {
		if v, err := FromDeb(in); err == nil {
			t.Errorf("FromDeb(%q) = %+v, want an error", in, v)
		}
	}
}

func TestForDistribution(t *testing.T) {
	f := func(deb, distribution, want string) {
		t.Helper()
		got := ForDistribution(deb, distribution)
		if got != want {
			t.Errorf("ForDistribution(%q, %q) = %q, want %q", deb, distribution, got, want)
		}
		if back, err := FromDeb(got); err != nil || back.Deb != deb {
			t.Errorf("FromDeb(%q) = %+v, %v; want %s", got, back, err, deb)
		}
	}
	f("1.2.0", "debian12", "1.2.0~deb12")
	f("1.2.0", "ubuntu22.04", "1.2.0~ubuntu22.04")
	f("1.2.0", "debian", "1.2.0~deb")
	f("1.2.0~rc1", "debian12", "1.2.0~~rc1~deb12")
	f("1.2.0~rc1+4.gabc1234.dirty", "ubuntu24.04", "1.2.0~~rc1+4.gabc1234.dirty~ubuntu24.04")
	f("1.2.0+4.gabc1234", "debian13", "1.2.0+4.gabc1234~deb13")
	f("1.2.0", "rhel9", "1.2.0")
	f("1.2.0", "", "1.2.0")
}

func TestRPMRelease(t *testing.T) {
	for distribution, want := range map[string]string{"": "1", "rhel9": "1.el9", "fedora40": "1.fc40", "debian12": "1", "rhel": "1.el"} {
		if got := RPMRelease(distribution); got != want {
			t.Errorf("RPMRelease(%q) = %q, want %q", distribution, got, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"v1.2.3", "1.2.3-rc.1-4-gabc1234-dirty", "1.2.3~deb12", "1.2.3-deb"} {
		f.Add(s, "debian12")
		f.Add(s, "ubuntu22.04")
	}
	f.Fuzz(func(t *testing.T, s, distribution string) {
		_, _ = FromDeb(s)
		v, err := Parse(s)
		if err != nil {
			return
		}
		if back, err := FromDeb(v.Deb); err != nil || back != v {
			t.Errorf("FromDeb(%q) = %+v, %v; want %+v", v.Deb, back, err, v)
		}
		if distribution == "debian12" || distribution == "ubuntu22.04" {
			if back, err := FromDeb(ForDistribution(v.Deb, distribution)); err != nil || back != v {
				t.Errorf("%s of %s: %+v, %v", v.Deb, distribution, back, err)
			}
		}
	})
}
