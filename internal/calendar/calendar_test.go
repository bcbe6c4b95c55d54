package calendar

import (
	"errors"
	"slices"
	"testing"
)

func TestParse(t *testing.T) {
	f := func(text string, years bool) {
		t.Helper()
		if e, err := Parse(text); err != nil || e.Years != years {
			t.Errorf("Parse(%q) = %+v, %v", text, e, err)
		}
	}
	for _, text := range Words() {
		f(text, false)
	}
	f("Daily UTC", false)
	f("Mon..Fri *-*-* 04:30:00", false)
	f("Wed, 17:48", false)
	f("Mon,", false)
	f("*:0/15", false)
	f("12:00:00.5/0.25 Europe/Berlin", false)
	f("*-02~03", false)
	f("Mon *-05~07/1", false)
	f("2030-01-01", true)
	f("12-*-* 2,1:23", true)
	f("*-2-29", false)
	f("daily Asia/Calcutta", false)
	f("daily America/Argentina/Buenos_Aires", false)
	f("daily Etc/GMT+5", false)
}

func TestParseFaults(t *testing.T) {
	f := func(text string, column, width int, message, hint string) {
		t.Helper()
		_, err := Parse(text)
		var e *Error
		if !errors.As(err, &e) || *e != (Error{column, width, message, hint}) {
			t.Errorf("Parse(%q): %+v", text, e)
		}
	}
	f("", 1, 1, "a calendar expression is empty", example)
	f("Fri..Mon", 6, 3, "a range of weekdays cannot go backwards", "a week begins on Monday: write Sat,Sun or Fri..Sun,Mon")
	f("Mon-Fri 10:00", 4, 1, "weekdays are not joined by -", "write Mon..Fri for a range")
	f("Xyz 10:00", 1, 3, "there is no weekday or shorthand Xyz", "daily, weekly or another shorthand, or a weekday like Mon")
	f("Thur 10:00", 1, 4, "there is no weekday or shorthand Thur", "did you mean thursday?")
	f("dayly", 1, 5, "there is no weekday or shorthand dayly", "did you mean daily?")
	f("dail", 1, 4, "there is no weekday or shorthand dail", "did you mean daily?")
	f("Mon..", 6, 1, "a weekday is missing here", "close the range, like Mon..Fri")
	f("Mon *-*-* 25:00", 11, 2, "25 is no hour", "an hour is from 0 to 23")
	f("*:*/15", 3, 2, "* stands for every value, and only alone", "write 0/15 for every 15th")
	f("1,*:00", 3, 1, "* stands for every value, and only alone", "leave the others out")
	f("12", 1, 2, "a number alone is neither date nor time", "write 12:00 for a time, *-*-12 for a day")
	f("*-2-30", 5, 2, "no month that is meant here has a day 30", "write ~01 for the last day of a month")
	f("12:00 Foo/Bar", 7, 7, "there is no timezone Foo/Bar", "UTC, or a name like Europe/Berlin")
	f("12:00 CET", 7, 3, "there is no timezone CET", "UTC, or a name like Europe/Berlin")
	f("daily Europe/Nowhere", 7, 14, "there is no timezone Europe/Nowhere", "UTC, or a name like Europe/Berlin")
	f("daily europe/berlin", 7, 13, "there is no timezone europe/berlin", "did you mean Europe/Berlin?")
	f("daily Asia/Berlin", 7, 11, "there is no timezone Asia/Berlin", "did you mean Europe/Berlin?")
	f("04:30 Europe/Brelin", 7, 13, "there is no timezone Europe/Brelin", "did you mean Europe/Berlin?")
	f("04:30 Europe/", 7, 7, "there is no timezone Europe/", "UTC, or a name like Europe/Berlin")
	f("30 4 * * *", 1, 10, "this is an expression of cron, not of systemd", "30 4 * * 1 of cron is Mon 04:30 here, and */15 * * * * is *:0/15")
	f("*:0/90", 3, 4, "the repetition never comes", "leave the repetition out: a minute is from 0 to 59")
	f("1..5/10:00", 1, 7, "the repetition never comes", "leave the repetition out: an hour is from 0 to 23")
	f("é", 1, 1, "this is no number", example)
}

// TestZonesAreSorted: they are looked up by halves.
func TestZonesAreSorted(t *testing.T) {
	if all := zones(); !slices.IsSorted(all) || len(all) < 500 {
		t.Errorf("%d timezones, sorted: %v", len(all), slices.IsSorted(all))
	}
}
