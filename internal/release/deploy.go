package release

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/kinectl/kinectl/internal/plan"
	"github.com/kinectl/kinectl/internal/render/ansible"
	"github.com/kinectl/kinectl/internal/repo"
	"github.com/kinectl/kinectl/internal/repo/debfile"
	"github.com/kinectl/kinectl/internal/resources"
	"github.com/kinectl/kinectl/internal/spec"
	"github.com/kinectl/kinectl/internal/version"
)

// The variables of the infra repository that say where the packages are.
const (
	repositoryVariable = "kinectl_repository"     // a directory or a URL, as this machine sees it
	keyVariable        = "kinectl_repository_key" // the public key, a file; for a directory its own key.asc
)

// ErrNoVersion is wrapped by errors about a version that the repository lacks;
// their message lists what it has.
var ErrNoVersion = repo.ErrNotFound

// ErrInventory is wrapped by errors about what the inventory does not say.
var ErrInventory = errors.New("the inventory")

// ErrUndefined is wrapped by errors about variables that the environment needs
// and the inventory lacks.
var ErrUndefined = errors.New("the environment cannot be written")

// Deploy brings a planned version to its group, batch by batch. The Outcome is
// set also when a host failed; the error then wraps ErrRolledBack, ErrLocked
// or ErrFailed. With deploy.on_failure: revert the hosts that had the version
// already are taken back then, see [Outcome].
func Deploy(ctx context.Context, o Options, p plan.Plan) (*Outcome, error) {
	hosts, err := o.Infra.Hosts(p.Group)
	if err != nil {
		return nil, err
	}
	if err := o.Infra.ready(hosts, p); err != nil {
		return nil, err
	}
	p = o.Infra.withSecrets(hosts, p)
	o.tells = true
	out, err := roll(ctx, o, p, ansible.Deploy(p))
	o.tells = false
	if p.Deploy.OnFailure == "revert" && err != nil && ctx.Err() == nil && out != nil && out.stopped {
		if bad := revert(ctx, o, p, out); bad != nil {
			err = &hostError{ErrFailed, err.Error() + "; " + bad.Error()}
		}
	}
	return out, err
}

// ready refuses variables that are not defined, and secrets in plain text.
func (in *Infra) ready(hosts []string, p plan.Plan) error {
	if missing := in.Undefined(hosts, p.Needs); len(missing) > 0 {
		return fmt.Errorf("%s: %w", strings.Join(missing, "; "), ErrUndefined)
	}
	if plain := in.Plain(hosts, p); len(plain) > 0 {
		return fmt.Errorf("%s: %w", strings.Join(plain, "; "), ErrPlain)
	}
	return nil
}

// PlanOf reads a version of a service back from the package repository that
// the infra repository names: its own spec decides, not the one in a checkout.
// It gives the service's group on the way, which must be in the inventory.
func PlanOf(ctx context.Context, in *Infra, group, name string, v version.Version) (plan.Plan, error) {
	return published(ctx, in, group, name, v, func(*debfile.Package) error { return nil })
}

// published is PlanOf that shows the package, which is open only meanwhile.
func published(ctx context.Context, in *Infra, group, name string, v version.Version, show func(*debfile.Package) error) (plan.Plan, error) {
	packages, err := in.OpenRepository(ctx, group)
	if err != nil {
		return plan.Plan{}, err
	}
	defer packages.Close()
	kinds, err := in.resources()
	if err != nil {
		return plan.Plan{}, err
	}
	versions, err := packages.Debian(ctx, name)
	if err != nil {
		return plan.Plan{}, err
	}
	// Where each distribution has a package of its own, all carry the same spec.
	found, arch := v.Deb, ""
	for _, e := range versions {
		if e.Version == v.Deb || canonical(e.Version) == v.Deb {
			found, arch = e.Version, e.Architecture
		}
	}
	d, err := packages.Package(ctx, name, found, arch)
	if err != nil {
		return plan.Plan{}, err
	}
	p, err := planOfPackage(name, v, kinds, d)
	if err != nil {
		return plan.Plan{}, fmt.Errorf("read the spec of %s %s from its package: %w", name, v, err)
	}
	return p, show(d)
}

// planOfPackage is the plan that the package itself carries the spec for.
func planOfPackage(name string, v version.Version, kinds []spec.Resource, d *debfile.Package) (plan.Plan, error) {
	path := "/usr/share/kinectl/" + name + "/spec.yml"
	src, err := d.File(path)
	if errors.Is(err, fs.ErrNotExist) {
		return plan.Plan{}, fmt.Errorf("no %s in it: it was not made by `kinectl package`", path)
	}
	if err != nil {
		return plan.Plan{}, err
	}
	s, findings := spec.Parse(path, src)
	if findings.HasErrors() {
		var text strings.Builder
		findings.Write(&text, false)
		return plan.Plan{}, errors.New(text.String())
	}
	for _, used := range s.Resources {
		if !slices.ContainsFunc(slices.Concat(spec.Resources(), kinds), func(r spec.Resource) bool { return r.Kind == used.V }) {
			return plan.Plan{}, fmt.Errorf("it uses the resource %q, which neither kinectl nor %s of the infra repository knows: %w", used.V, resources.File, ErrInventory)
		}
	}
	return plan.Build(s, plan.Facts{Version: v, Resources: kinds}), nil
}

// canonical is a package's version without the distribution that it is for, so
// that hosts of several distributions can be compared.
func canonical(deb string) string {
	if v, err := version.FromDeb(deb); err == nil {
		return v.Deb
	}
	return deb
}

// repository says where the packages are and which key must have signed them.
func (in *Infra) repository(group string) (location string, key []byte, err error) {
	hosts, err := in.Hosts(group)
	if err != nil {
		return "", nil, err
	}
	location, ok := in.answer.Ours[hosts[0]][repositoryVariable]
	if !ok {
		return "", nil, fmt.Errorf("%w %s does not say where the packages are: set %s in group_vars/all.yml to a directory or URL", ErrInventory, in.Inventory, repositoryVariable)
	}
	if !strings.Contains(location, "://") && !filepath.IsAbs(location) {
		location = filepath.Join(in.Dir, location)
	}
	file, ok := in.answer.Ours[hosts[0]][keyVariable]
	if !ok && strings.Contains(location, "://") {
		return "", nil, fmt.Errorf("%w %s does not say which key signs %s: set %s to the file of its public key", ErrInventory, in.Inventory, repo.Shown(location), keyVariable)
	}
	if !ok {
		return location, nil, nil
	}
	if !filepath.IsAbs(file) {
		file = filepath.Join(in.Dir, file)
	}
	key, err = os.ReadFile(file)
	if err != nil {
		return "", nil, fmt.Errorf("read %s: %w", keyVariable, err)
	}
	return location, key, nil
}
