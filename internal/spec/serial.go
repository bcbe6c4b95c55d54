package spec

import (
	"fmt"
	"strings"

	"github.com/kinectl/kinectl/internal/lazyregexp"
)

var batchPattern = lazyregexp.New(`^[1-9][0-9]{0,4}$`)

// ParseSerial reads batches as a command line has them, by the rules of
// deploy.serial: a number, a percentage, or several with commas between them
// ("1,25%,100%").
func ParseSerial(text string) ([]string, error) {
	var batches []string
	for word := range strings.SplitSeq(text, ",") {
		word = strings.TrimSpace(word)
		if !batchPattern.MatchString(word) && !percentPattern.MatchString(word) {
			return nil, fmt.Errorf("serial cannot be %s", quoted(word))
		}
		batches = append(batches, word)
	}
	return batches, nil
}
