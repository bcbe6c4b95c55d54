package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/kinectl/kinectl/internal/repo"
)

func (a *app) repoCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "repo",
		Short: "Keep a signed package repository",
		Long: `A repository is a tree of files that apt and dnf install from, through any web
server: a directory, a bucket (s3://BUCKET/PREFIX, with the AWS_… variables) or
another machine's directory (ssh://USER@HOST/PATH). It is signed with a private key
that lies outside of it, by default in ~/.config/kinectl/keys. Every version that
was published stays until it is removed or pruned, so that a rollback finds it.`,
		Example: `  kinectl repo init /srv/repository
  kinectl repo publish /srv/repository dist/*.deb dist/*.rpm
  kinectl repo list /srv/repository
  kinectl repo serve /srv/repository --listen :8080`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(
		a.repoInitCommand(), a.repoPublishCommand(), a.repoPromoteCommand(), a.repoListCommand(), a.repoRemoveCommand(),
		a.repoPruneCommand(), a.repoVerifyCommand(), a.repoResignCommand(), a.repoRotateCommand(), a.repoServeCommand(),
	)
	return cmd
}

// repoFlags are the flags of the verbs that write a repository.
type repoFlags struct {
	suite string
	keys  []string
	cmd   *cobra.Command
}

// add adds both flags. Some verbs mean every suite when none is named.
func (f *repoFlags) add(cmd *cobra.Command, suite, usage string) {
	cmd.Flags().StringVar(&f.suite, "suite", suite, usage)
	f.addKey(cmd)
}

func (f *repoFlags) addKey(cmd *cobra.Command) {
	f.cmd = cmd
	cmd.Flags().StringArrayVar(&f.keys, "key", nil,
		"where a private key is: FILE, env:NAME, gpg:FINGERPRINT or exec:COMMAND (default ~/.config/kinectl/keys/FINGERPRINT.asc)")
}

func (f *repoFlags) options() (repo.Options, error) {
	o := repo.Options{Suite: f.suite, Keys: f.keys, Waiting: func() {
		fmt.Fprintln(f.cmd.ErrOrStderr(), "waiting for the lock of the repository, which somebody else may have")
	}}
	config, err := os.UserConfigDir()
	switch {
	case err == nil:
		o.KeyDir = filepath.Join(config, "kinectl", "keys")
	case len(f.keys) == 0:
		o.KeyDir = "" // a daemon without a home has the variable, or nothing
	}
	return o, nil
}

// repoError gives an error of package repo its exit code and its hint.
func repoError(err error, location string) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, repo.ErrNoTrust):
		return usage(err, "name the file of its public key, brought here by another way, with --trust FILE")
	case errors.Is(err, repo.ErrUsage):
		return usage(err, "")
	case errors.Is(err, repo.ErrNoKey):
		return failed(err, "run this as the user who made the repository, or say where the private key is with --key. A fingerprint that nobody knows means that somebody replaced key.asc")
	case errors.Is(err, repo.ErrSignature):
		return failed(err, "compare the public key with the repository's key.asc; if they are the same, somebody changed the files")
	case errors.Is(err, repo.ErrNotRepository):
		if strings.HasPrefix(location, "http://") || strings.HasPrefix(location, "https://") {
			return failed(err, "look at the address and at --suite")
		}
		return failed(err, "make the repository or the suite with: kinectl repo init "+repo.Shown(location)+" [--suite SUITE]")
	case errors.Is(err, repo.ErrNotFound):
		return usage(err, "see what there is with: kinectl repo list "+repo.Shown(location)+" [--suite SUITE]")
	case errors.Is(err, repo.ErrMissing):
		return failed(err, "nothing was changed; where hosts have these from elsewhere, like the distribution, go on with --allow-missing")
	case errors.Is(err, repo.ErrDamaged):
		return failed(err, "nothing was changed; what to do is in docs/repository.md under \"A damaged repository\"")
	case errors.Is(err, repo.ErrRefused):
		return failed(err, "nothing was changed")
	case errors.Is(err, fs.ErrPermission):
		return failed(err, "run this as the user whom the repository's files belong to")
	}
	return failed(err, "")
}

// age is a duration with days: "90d", "36h". Nobody prunes by the minute.
type age time.Duration

func (d *age) String() string {
	if day := 24 * time.Hour; time.Duration(*d)%day == 0 {
		return fmt.Sprintf("%dd", time.Duration(*d)/day)
	}
	return time.Duration(*d).String()
}

func (d *age) Set(s string) error {
	if days, found := strings.CutSuffix(s, "d"); found {
		var n int
		if _, err := fmt.Sscanf(days+"\n", "%d\n", &n); err != nil || n < 0 || n > 36500 {
			return fmt.Errorf("%q is not a number of days, like 90d", s)
		}
		*d = age(time.Duration(n) * 24 * time.Hour)
		return nil
	}
	v, err := time.ParseDuration(s)
	if err != nil || v < 0 {
		return fmt.Errorf("%q is not a time like 90d or 36h", s)
	}
	*d = age(v)
	return nil
}

func (d *age) Type() string { return "time" }
