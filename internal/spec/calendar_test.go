package spec

import "testing"

func TestCalendarPlace(t *testing.T) {
	f := func(value string, column, width int) {
		t.Helper()
		_, findings := Parse("spec.yml", []byte("service:\n  name: my-api\n  group: apps\n  description: d\n  timers:\n    - name: tidy\n      on_calendar: "+value+"\n"))
		if len(findings) != 1 {
			t.Fatalf("%s: %+v", value, findings)
		}
		if got := findings[0]; got.Rule != "bad-calendar" || got.Path != "service.timers[0].on_calendar" || got.Line != 7 || got.Column != column || got.Width != width {
			t.Errorf("%s: %+v, want column %d, width %d", value, got, column, width)
		}
	}
	f("Mon 25:00", 24, 2)
	f(`"Mon 25:00"`, 25, 2)
	f(`'  Mon 25:00 '`, 27, 2)
	f(`"Mon\x20 25:00"`, 20, 12)
}
