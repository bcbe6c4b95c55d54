package release

import (
	"context"
	"slices"
	"strings"

	"github.com/kinectl/kinectl/internal/artifact"
	"github.com/kinectl/kinectl/internal/plan"
)

// roll is run that, when the Options say so, starts again without the hosts
// that Prepare could not reach: nothing had changed anywhere by then.
func roll(ctx context.Context, o Options, p plan.Plan, files []artifact.File) (*Outcome, error) {
	out, err := run(ctx, o, p, files)
	if !o.SkipUnreachable || err == nil || out == nil || ctx.Err() != nil {
		return out, err
	}
	left := remaining(out)
	if len(left) == 0 {
		return out, err
	}
	lost := out.lost
	for _, h := range lost {
		if o.Progress != nil {
			o.Progress(Event{Stage: "Skip", Host: h})
		}
	}
	first := out.Seconds
	o.Limit, o.SkipUnreachable = strings.Join(left, ","), false // who is lost now stops the roll
	out, err = run(ctx, o, p, files)
	if out != nil {
		out.Skipped = lost
		out.Seconds += first
	}
	return out, err
}

// remaining are the hosts to go on with: none when something else than the way
// to a host was the trouble, or when a host had begun already.
func remaining(out *Outcome) []string {
	if len(out.lost) == 0 || out.stopped {
		return nil
	}
	for _, h := range out.Hosts {
		if !slices.Contains(out.lost, h.Host) {
			return nil
		}
	}
	return out.Untouched
}
