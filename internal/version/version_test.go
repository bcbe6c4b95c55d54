package version

import (
	"os/exec"
	"testing"
)

func TestParse(t *testing.T) {
	f := func(in, label, deb string) {
		t.Helper()
		v, err := Parse(in)
		if err != nil || v.Label != label || v.Deb != deb {
			t.Errorf("Parse(%q) = %+v, %v; want %s and %s", in, v, err, label, deb)
			return
		}
		if back, err := FromDeb(v.Deb); err != nil || back != v {
			t.Errorf("FromDeb(%q) = %+v, %v; want %+v", v.Deb, back, err, v)
		}
	}
	f("1.2.3", "1.2.3", "1.2.3")
	f("v1.2.3", "1.2.3", "1.2.3")
	f("0.0.0", "0.0.0", "0.0.0")
	f("1.2.3-rc1", "1.2.3-rc1", "1.2.3~rc1")
	f("v1.2.3-rc.1", "1.2.3-rc.1", "1.2.3~rc.1")
	f("v1.2.3-4-gabc1234", "1.2.3-4-gabc1234", "1.2.3+4.gabc1234")
	f("v1.2.3-rc1-4-gabc1234", "1.2.3-rc1-4-gabc1234", "1.2.3~rc1+4.gabc1234")
	f("v1.2.3-dirty", "1.2.3-dirty", "1.2.3+0.dirty")
	f("v1.2.3-4-gabc1234-dirty", "1.2.3-4-gabc1234-dirty", "1.2.3+4.gabc1234.dirty")
	f("20.11.300", "20.11.300", "20.11.300")
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
	} {
		f(in)
	}
}

func TestFromDebRefuses(t *testing.T) {
	for _, in := range []string{"", "1:1.2.3", "1.2.3-1", "1.2.3+0", "1.2.3+4", "1.2.3+0.gabcdef", "1.2.3~"} {
		if v, err := FromDeb(in); err == nil {
			t.Errorf("FromDeb(%q) = %+v, want an error", in, v)
		}
	}
}

// TestOrder holds our mapping against the real dpkg: each version of the list
// is older than all that follow.
func TestOrder(t *testing.T) {
	if _, err := exec.LookPath("dpkg"); err != nil {
		t.Skip("dpkg is not installed: the order of versions was not compared")
	}
	var debs []string
	for _, s := range []string{
		"v0.9.0", "v1.2.3-alpha", "v1.2.3-alpha.1", "v1.2.3-beta2", "v1.2.3-beta10", "v1.2.3-rc1", "v1.2.3-rc1-4-gabc1234",
		"v1.2.3-rc2", "v1.2.3", "v1.2.3-dirty", "v1.2.3-1-gffff", "v1.2.3-1-gffff-dirty", "v1.2.3-9-g0000", "v1.2.3-10-g0000",
		"v1.2.4-rc1", "v1.2.4", "v1.2.10", "v1.10.0", "v2.0.0-rc1", "v2.0.0",
	} {
		v, err := Parse(s)
		if err != nil {
			t.Fatal(err)
		}
		debs = append(debs, v.Deb)
	}
	for i := range debs {
		for j := i + 1; j < len(debs); j++ {
			if err := exec.Command("dpkg", "--compare-versions", debs[i], "lt", debs[j]).Run(); err != nil {
				t.Errorf("dpkg does not order %s before %s", debs[i], debs[j])
			}
		}
	}
}
