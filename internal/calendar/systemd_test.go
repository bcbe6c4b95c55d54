package calendar

import (
	"math/rand/v2"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestLikeSystemd asks the real program about hundreds of expressions, drawn
// from pieces that are right, almost right and wrong. It must agree with us in
// each, but for those that the package comment names.
func TestLikeSystemd(t *testing.T) {
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		if os.Getenv("KINECTL_E2E") == "required" {
			t.Fatal("systemd-analyze is not installed")
		}
		t.Skip("systemd-analyze is not installed: calendar expressions are not compared with the real one")
	}
	all := expressions()
	good, bad, stricter := 0, 0, 0
	real := accepted(t, analyze, all)
	for _, text := range all {
		_, err := Parse(text)
		switch theirs := real[text]; {
		case err == nil && theirs:
			good++
		case err != nil && !theirs:
			bad++
		case err != nil && strictOnPurpose(text, err.Error()):
			stricter++
		case err == nil:
			t.Errorf("we take %q, systemd does not", text)
		default:
			t.Errorf("we refuse %q (%v), systemd takes it", text, err)
		}
	}
	t.Logf("%d expressions: both take %d, both refuse %d, only we refuse %d on purpose", len(all), good, bad, stricter)
	if good < 300 || bad < 300 || stricter > len(all)/5 {
		t.Errorf("%d good and %d bad ones, %d on purpose: too few to tell", good, bad, stricter)
	}
}

// strictOnPurpose holds the cases of the package comment.
func strictOnPurpose(text, err string) bool {
	return strings.HasPrefix(text, "@") || strings.HasPrefix(text, "Mon-Fri") || strings.HasSuffix(text, " CET") ||
		strings.HasSuffix(text, " ") || strings.Contains(text, "..") && (strings.Contains(err, "the repetition never comes") || strings.Contains(err, "/") && strings.Contains(err, " is no ")) ||
		strings.Contains(err, "weekdays are not joined by -") || strings.Contains(err, "no month that is meant here") ||
		slices.Contains([]string{"anually", "biannually", "bi-annually", "semi-annually"}, text)
}

// accepted asks systemd-analyze about many expressions at once: it normalises
// those that it takes, in their order, and names the others on standard error.
func accepted(t *testing.T, analyze string, all []string) map[string]bool {
	t.Helper()
	cmd := exec.Command(analyze, append([]string{"calendar", "--"}, all...)...)
	cmd.Env = append(os.Environ(), "TZ=UTC", "LC_ALL=C")
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output() // 1 when one of them is wrong
	if exit, ok := err.(*exec.ExitError); err != nil && (!ok || exit.ExitCode() != 1) {
		t.Fatalf("systemd-analyze calendar: %v", err)
	}
	refused := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^Failed to parse calendar specification '(.*)': .*$`).FindAllStringSubmatch(stderr.String(), -1) {
		refused[m[1]] = true
	}
	taken := map[string]bool{}
	for _, text := range all {
		taken[text] = !refused[text]
	}
	if n := strings.Count(string(out), "Normalized form:"); n+len(refused) != len(all) {
		t.Fatalf("asked for %d, %d were taken and %d refused", len(all), n, len(refused))
	}
	return taken
}

// expressions returns those of the manual, hard cases, and drawn ones, each
// once.
func expressions() []string {
	all := strings.Split(`Thu,Fri 2012-*-1,5 11:12:13
*-02~03
Mon *-05~07/1
Sat,Thu,Mon..Wed,Sat..Sun
Mon,Sun 12-*-* 2,1:23
Wed *-1
Wed..Wed,Wed *-1
Wed, 17:48
Wed..Sat,Tue 12-10-15 1:2:3
*-*-7 0:0:0
10-15
monday *-12-* 17:00
12,14,13,12:20,10,30
12..14:10,20,30
mon,fri *-1/2-1,3 *:30:45
05:40:23.4200004/3.1700005
2003-02..04-05
2003-03-05 05:40 UTC
daily UTC
weekly Pacific/Auckland
*:2/3
Mon,
Mon-Fri
Mon ..Fri
Mon..Tue..Wed
Mon.Tue
@12345
anually
semi-annually
midnight
12:00 CET
12:00  UTC
12:00 utc
12:00 UTC UTC
UTC
Mon UTC
1-1~2
1~2-3
*~1
*-*~28
*-*~29
*-*~3/7
*-*~5/4
*-*~1..5/2
*-*~1,25
*-4~7..30/5
*:*:5..5.5
*:*:58.5..59.5
*:*:5..5.5/0.1
*-*~1,26
*-*~20,1,23
*-*~20,1,22
*:*:0/0.0000004
*:*:59.9999994
*:*:59.9999996
*:*:1...2
*:*:1.5..2.5/0.5
*:*:.5
*:*:5.
0..99-1-1
99..5-1-1
0..69-1-1
1..5/10:00
1..5/24:00
1/22:00
1/23:00
*-2-30
*-2,3-30
*-2/2-31
*-4-31
00012:00
4294967297:00
2*:00
1:2:3:4
1 :00
+1:00
12:00Z
1e3:00
*-*-*T12:00
30 4 * * *
2200-1-1
1969-12-31
70-1-1
*-*
*:*
*
12`, "\n")
	random := rand.New(rand.NewPCG(1, 2))
	pick := func(from ...string) string { return from[random.IntN(len(from))] }
	number := func(most int) string {
		return []string{
			"*", "0", "1", strconv.Itoa(random.IntN(most + 2)), strconv.Itoa(random.IntN(most+2)) + ".." + strconv.Itoa(random.IntN(most+2)), "0/" + strconv.Itoa(random.IntN(most+2)),
			strconv.Itoa(random.IntN(most+2)) + "," + strconv.Itoa(random.IntN(most+2)), strconv.Itoa(random.IntN(most/2+1)) + "/" + strconv.Itoa(random.IntN(most/2+1)),
			strconv.Itoa(random.IntN(most/2+1)) + ".." + strconv.Itoa(most-1) + "/" + strconv.Itoa(random.IntN(most/2+1)),
		}[random.IntN(9)]
	}
	for range 1800 {
		days := pick("", "", "", "Mon ", "mon..fri ", "Sat,Sun ", "Fri..Mon ", "Tuesday,Thu..Sat ", "Mon,,Tue ", "Xyz ", "Sun, ", "wednesday")
		date := ""
		switch random.IntN(5) {
		case 0:
			date = number(12) + pick("-", "-", "~") + number(28) + " "
		case 1:
			date = pick("*", "2030", "2024..2040", "30/2", "1970", "2199", "2200") + "-" + number(12) + pick("-", "-", "~", ":") + number(31) + " "
		}
		time := ""
		switch random.IntN(4) {
		case 0:
			time = number(23) + ":" + number(59)
		case 1:
			time = number(23) + ":" + number(59) + pick(":", ":", "-") + number(59) + pick("", "", ".5", ".", "/1.5", "..59.5")
		}
		zone := pick("", "", "", "", " UTC", " Europe/Berlin", " Nowhere/Berlin", " Europe/Nowhere", " asia/tokyo", " Asia/Calcutta", " America/Argentina/Buenos_Aires")
		if text := strings.TrimRight(days+date+time, " ") + zone; text != "" {
			all = append(all, text)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func FuzzParse(f *testing.F) {
	for _, text := range expressions()[:200] {
		f.Add(text)
	}
	f.Add("é*-ü~\x00")
	f.Fuzz(func(t *testing.T, text string) {
		_, err := Parse(text)
		if err == nil {
			return
		}
		e, ok := err.(*Error)
		if !ok || e.Message == "" || e.Column < 1 || e.Column > len([]rune(text))+1 || e.Width < 1 {
			t.Errorf("Parse(%q): %#v", text, err)
		}
	})
}
