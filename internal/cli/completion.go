package cli

import (
	"cmp"
	"context"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/kinectl/kinectl/internal/release"
	"github.com/kinectl/kinectl/internal/spec"
)

// completionTime is how long somebody waits who has pressed Tab.
const completionTime = time.Second

// soon returns the words that find has by then, and none where it fails or is late: a
// shell has no place for an error.
func soon(ctx context.Context, find func(context.Context) []string) []string {
	ctx, cancel := context.WithTimeout(ctx, completionTime)
	defer cancel()
	found := make(chan []string, 1)
	go func() { found <- find(ctx) }()
	select {
	case words := <-found:
		return words
	case <-ctx.Done():
		return nil
	}
}

// inventory is that of the flags on the line, or nil. Where its files are as they were
// when Ansible was asked last, Ansible is not asked again.
func (f *fleet) inventory(ctx context.Context) *release.Infra {
	env := cmp.Or(f.env, os.Getenv(envVariable))
	dir, err := filepath.Abs(f.infra)
	if env == "" || err != nil {
		return nil
	}
	in, err := release.OpenInfra(ctx, dir, env)
	if err != nil {
		return nil
	}
	return in
}

// completeLimit has the hosts and groups, each behind what is written before the last comma.
func (f *fleet) completeLimit(cmd *cobra.Command, _ []string, written string) ([]string, cobra.ShellCompDirective) {
	before := written[:strings.LastIndexAny(written, ",:!&")+1]
	return soon(cmd.Context(), func(ctx context.Context) (words []string) {
		in := f.inventory(ctx)
		if in == nil {
			return nil
		}
		for _, name := range in.Names() {
			words = append(words, before+name)
		}
		return words
	}), cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
}

// completeHost has the hosts alone.
func (f *fleet) completeHost(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
	return soon(cmd.Context(), func(ctx context.Context) []string {
		if in := f.inventory(ctx); in != nil {
			return in.All()
		}
		return nil
	}), cobra.ShellCompDirectiveNoFileComp
}

// completeVersion has the published versions of the service, the newest first.
func (f *fleet) completeVersion(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
	return soon(cmd.Context(), func(ctx context.Context) []string {
		text, err := os.ReadFile(f.spec)
		if err != nil {
			return nil
		}
		s, _ := spec.Parse(f.spec, text)
		in := f.inventory(ctx)
		if s == nil || in == nil {
			return nil
		}
		versions, _ := in.Published(ctx, s.Group.V, s.Name.V)
		return versions
	}), cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveKeepOrder
}
