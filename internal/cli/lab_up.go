package cli

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/kinectl/kinectl/internal/lab"
	"github.com/kinectl/kinectl/internal/repo"
)

const labRepoPort = "8080"

func (a *app) labUpCommand(name *string) *cobra.Command {
	var (
		options lab.Options
		repoDir string
	)
	cmd := &cobra.Command{
		Use:   "up",
		Short: "Start a lab, and wait until its hosts are running",
		Long: `Starts a lab of N hosts and returns when systemd says "running" on each and its sshd
answers. It writes an Ansible inventory (environment "lab"), an ssh key and an ssh
configuration for them. The first lab builds the base image, which takes about a minute.

Again on a lab that is up changes nothing; hosts that are off are booted. With
--repo the repository in DIR is served inside the lab, and the hosts know it as an
apt source. An interrupted start removes what it has made.`,
		Example: `  sudo kinectl lab up --hosts 3
  sudo kinectl lab up --name cdn --hosts 6 --group cdn --group edge
  sudo kinectl lab up --repo /srv/apt
  kinectl deploy --version 1.0.0 --infra /var/lib/kinectl-lab/lab/infra --env lab`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			options.Name = *name
			options.Image.Cache = os.Getenv("KINECTL_LAB_CACHE")
			program, err := os.Executable()
			if err != nil {
				return failed(err, "")
			}
			options.Program = program
			if repoDir != "" {
				if err := addLabRepo(cmd.Context(), &options, repoDir); err != nil {
					return usage(err, "make the repository first with: kinectl repo init "+repoDir)
				}
			}
			l, err := lab.Up(cmd.Context(), options, a.labProgress())
			if err != nil {
				return labError(err, *name)
			}
			a.showLab(l)
			return nil
		},
	}
	cmd.Flags().IntVar(&options.Hosts, "hosts", 3, fmt.Sprintf("number of hosts, 1 to %d", lab.MaxHosts))
	cmd.Flags().StringSliceVar(&options.Groups, "group", []string{"applications"}, "inventory group with all hosts; may be repeated")
	cmd.Flags().IntVar(&options.DiskMiB, "disk", 0, "size of each host's disk in MiB; 0 for no bound")
	cmd.Flags().StringVar(&repoDir, "repo", "", "serve the package repository in this directory to the hosts")
	cmd.Flags().StringVar(&options.Image.Mirror, "mirror", "", "Debian mirror for the base image (default: the one this machine uses)")
	return cmd
}

// addLabRepo makes the lab serve a repository and every host install from it.
func addLabRepo(ctx context.Context, o *lab.Options, dir string) error {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	key, err := os.ReadFile(filepath.Join(dir, "key.asc"))
	if err != nil {
		return fmt.Errorf("read the key of the repository: %w", err)
	}
	packages, err := repo.Open(ctx, dir)
	if err != nil {
		return err
	}
	defer packages.Close()
	address := lab.Gateway + ":" + labRepoPort
	o.Files = map[string]lab.File{
		repo.AptKeyPath:    {Mode: 0o644, Body: key},
		repo.AptSourcePath: {Mode: 0o644, Body: repo.AptSource("http://"+address, packages.Suite())},
		repo.AptPinPath:    {Mode: 0o644, Body: repo.AptPin(packages.Origin())},
	}
	o.Vars = map[string]any{"kinectl_repository": dir}
	o.Service = []string{o.Program, "repo", "serve", dir, "--listen", address}
	return nil
}

func (a *app) showLab(l *lab.Lab) {
	hosts := l.Hosts()
	if a.json {
		a.printJSON(map[string]any{"name": l.Name(), "infra": l.Infra(), "environment": "lab", "ssh_config": l.SSHConfig(), "hosts": hosts})
		return
	}
	flag := ""
	if l.Name() != "lab" {
		flag = " --name " + l.Name()
	}
	fmt.Fprintf(a.stdout, "\nlab %s is up: h1 to h%d, %s onward\n", l.Name(), len(hosts), hosts[0].Address)
	fmt.Fprintf(a.stdout, "  log in     kinectl lab ssh%s h1\n", flag)
	fmt.Fprintf(a.stdout, "  deploy     kinectl deploy -f SPEC --version V --infra %s --env lab\n", l.Infra())
	fmt.Fprintf(a.stdout, "  end it     kinectl lab down%s\n", flag)
}
