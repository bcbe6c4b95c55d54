package release

import (
	"cmp"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// LogQuery says which lines of the journals are wanted.
type LogQuery struct {
	Since    string // as journalctl takes it; a Go duration means so long ago. Empty: from the beginning
	Lines    int    // the newest so many of all hosts together; 0: all
	Grep     string // a regular expression, as journalctl takes it
	Priority string // at least that, as journalctl takes it
	Follow   bool   // go on with what comes, until the context ends
}

// LogLine is an entry of a host's journal.
type LogLine struct {
	Host     string
	Time     time.Time // by the host's clock
	Unit     string
	Priority int // of syslog(3): 0 is an emergency, 7 is for debugging; 6 where the entry has none
	Message  string
	Fields   map[string]any // all that were asked for, as `journalctl -o json` has them
}

// logFields are the fields that are asked for, beside those that always come.
const logFields = "MESSAGE,PRIORITY,_SYSTEMD_UNIT,UNIT,SYSLOG_IDENTIFIER,_PID,INVOCATION_ID"

// filter are the arguments of journalctl that choose lines wherever they begin.
func (q LogQuery) filter() []string {
	var all []string
	if q.Grep != "" {
		all = append(all, "--grep="+q.Grep)
	}
	if q.Priority != "" {
		all = append(all, "--priority="+q.Priority)
	}
	return all
}

// newestFirst is the option of journalctl that turns the order round.
const newestFirst = "--reverse"

// arguments are those for what is there already.
func (q LogQuery) arguments(now time.Time) []string {
	all := q.filter()
	if ago, err := time.ParseDuration(q.Since); err == nil {
		all = append(all, fmt.Sprintf("--since=-%ds", int(ago.Seconds())))
	} else if q.Since != "" {
		all = append(all, "--since="+q.Since)
	}
	if q.Lines > 0 {
		// With --grep some journalctl take --lines for --reverse: said, it is the same with all.
		all = append(all, "--lines="+strconv.Itoa(q.Lines), newestFirst)
	}
	return all
}

// journal is the command line for the host's shell. It says the host's clock first.
// Every entry of a reboot before is in it. journalctl exits 1 without a word where
// a pattern finds nothing; with one, it or sudo has refused.
func journal(units, arguments []string) string {
	words := []string{"journalctl", "--quiet", "--no-pager", "--output=json", "--output-fields=" + logFields}
	for _, u := range units {
		words = append(words, "--unit="+u)
	}
	words = append(words, arguments...)
	for i, w := range words {
		words[i] = shellQuote(w)
	}
	command := strings.Join(words, " ")
	script := `as=; if [ "$(id -u)" != 0 ] && ! id -nG | grep -qwE 'systemd-journal|adm'; then as='sudo -n'; fi; date +@%s; ` +
		`{ said=$($as ` + command + ` 2>&1 >&3); } 3>&1; code=$?; [ -z "$said" ] || echo "$said" >&2; [ "$code$said" = 1 ] || exit "$code"`
	return "exec /bin/sh -c " + shellQuote(script)
}

// shellQuote makes one word of s for a shell (POSIX, XCU 2.2.2).
func shellQuote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

// parseLine reads one entry of `journalctl -o json` (systemd.journal-fields(7)).
func parseLine(host string, text []byte) (line LogLine, cursor string, ok bool) {
	fields := map[string]any{}
	if json.Unmarshal(text, &fields) != nil {
		return LogLine{}, "", false
	}
	get := func(name string) string { return journalText(fields[name]) }
	micro, err := strconv.ParseInt(get("__REALTIME_TIMESTAMP"), 10, 64)
	if err != nil {
		return LogLine{}, "", false
	}
	priority, err := strconv.Atoi(get("PRIORITY"))
	if err != nil {
		priority = 6
	}
	return LogLine{
		Host: host, Time: time.UnixMicro(micro), Priority: priority, Message: get("MESSAGE"), Fields: fields,
		Unit: cmp.Or(get("UNIT"), get("_SYSTEMD_UNIT")),
	}, get("__CURSOR"), true
}

// journalText is a field's value: a text, or one that is not UTF-8 as a list of
// its bytes; of a field that is there more than once, the first.
func journalText(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case []any:
		var bytes []byte
		for _, e := range v {
			switch e := e.(type) {
			case float64:
				bytes = append(bytes, byte(e))
			default:
				return journalText(e)
			}
		}
		return strings.ToValidUTF8(string(bytes), "\uFFFD")
	}
	return ""
}
