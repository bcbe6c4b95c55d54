package cli

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/kinectl/kinectl/internal/lazyregexp"
)

// What cobra says of a command line that it does not take. A word of it that changes
// leaves the text as it is: TestMisuse tells.
var (
	badValue  = lazyregexp.New(`^invalid argument (".*") for "(?:-\w, )?--([\w-]+)" flag: (.*)$`)
	noValue   = lazyregexp.New(`^flag needs an argument: (?:'\w' in -(\w)|--([\w-]+))`)
	notGiven  = lazyregexp.New(`^required flag\(s\) (".*") not set$`)
	together  = lazyregexp.New(`^if any flags in the group .* none of the others can be; \[(.*)\] were all set$`)
	badCounts = lazyregexp.New(`^(?:accepts|requires) .* arg\(s\)`)
)

// misuse is what is wrong with a call of cmd in our words, and what to do.
func misuse(cmd *cobra.Command, err error) error {
	help := "see `" + cmd.CommandPath() + " --help`"
	text := err.Error()
	meaning := func(name string) string { // of a flag: better than where to look it up
		flag := cmd.Flag(name)
		if flag == nil && len(name) == 1 {
			flag = cmd.Flags().ShorthandLookup(name)
		}
		if flag == nil {
			return help
		}
		return "--" + flag.Name + ": " + flag.Usage
	}
	if m := badValue.FindStringSubmatch(text); m != nil {
		why := ": " + m[3]
		if strings.HasPrefix(m[3], "strconv.") || strings.HasPrefix(m[3], "time: ") { // Go's own word
			why = ""
		}
		return usage(fmt.Errorf("--%s cannot be %s%s", m[2], m[1], why), meaning(m[2]))
	}
	if m := noValue.FindStringSubmatch(text); m != nil {
		name := m[1] + m[2]
		return usage(fmt.Errorf("%s needs a value", strings.Repeat("-", min(len(name), 2))+name), meaning(name))
	}
	if m := notGiven.FindStringSubmatch(text); m != nil {
		names := strings.Split(strings.ReplaceAll(m[1], `"`, ""), ", ")
		return usage(errors.New("--"+strings.Join(names, " and --")+" is missing"), meaning(names[0]))
	}
	if m := together.FindStringSubmatch(text); m != nil {
		return usage(errors.New("--"+strings.Join(strings.Fields(m[1]), " and --")+" do not go together"), "leave one of them out; "+help)
	}
	if badCounts.MatchString(text) {
		return usage(fmt.Errorf("%s is called as: %s", cmd.CommandPath(), strings.TrimSuffix(cmd.UseLine(), " [flags]")), help)
	}
	return usage(err, help)
}
