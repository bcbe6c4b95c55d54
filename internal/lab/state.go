package lab

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/kinectl/kinectl/internal/atomicfile"
)

const stateRoot = "/var/lib/kinectl-lab"

// record is lab.json. Its presence means that up has finished.
type record struct {
	Name    string    `json:"name"`
	Created time.Time `json:"created"`
	Image   string    `json:"image"` // root directory of the base image
	Disk    int       `json:"disk_mib"`
	Service []string  `json:"service,omitempty"`
	Hosts   []Host    `json:"hosts"`
}

// Lab is a lab that has been started. It holds no resources; there is nothing
// to close.
type Lab struct{ record record }

// Open finds a lab by its name. It returns an error that wraps [ErrNoLab] when
// there is none, or only the remains of an up that did not finish.
func Open(name string) (*Lab, error) {
	if err := CheckName(name); err != nil {
		return nil, err
	}
	body, err := os.ReadFile(filepath.Join(stateDir(name), "lab.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("open lab %s: %w", name, ErrNoLab)
	}
	l := &Lab{}
	if err == nil {
		err = json.Unmarshal(body, &l.record)
	}
	if err != nil {
		return nil, fmt.Errorf("open lab %s: %w", name, err)
	}
	return l, nil
}

func (l *Lab) save() error {
	body, err := json.MarshalIndent(l.record, "", "  ")
	if err != nil {
		return err
	}
	return atomicfile.Write(filepath.Join(l.Dir(), "lab.json"), append(body, '\n'), 0o600)
}

// List names the labs that have files on this machine, also those whose up was
// killed.
func List() ([]string, error) {
	entries, err := os.ReadDir(stateRoot)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("list labs: %w", err)
	}
	var names []string
	for _, e := range entries {
		if e.IsDir() && CheckName(e.Name()) == nil {
			names = append(names, e.Name())
		}
	}
	return names, nil
}

func stateDir(name string) string { return filepath.Join(stateRoot, name) }

// Name is the lab's name.
func (l *Lab) Name() string { return l.record.Name }

// Created is when the lab was started first; hosts may have been booted again since.
func (l *Lab) Created() time.Time { return l.record.Created }

// Dir is the lab's directory; it goes away with the lab.
func (l *Lab) Dir() string { return stateDir(l.record.Name) }

// Infra is the directory of the lab's Ansible inventory, for
// `kinectl deploy --infra DIR --env lab`.
func (l *Lab) Infra() string { return filepath.Join(l.Dir(), "infra") }

// SSHConfig is the ssh_config file that knows the lab's hosts by name:
// `ssh -F FILE h1`.
func (l *Lab) SSHConfig() string { return filepath.Join(l.Dir(), "ssh", "config") }

func (l *Lab) hostDir(host string) string { return filepath.Join(l.Dir(), "hosts", host) }

func (l *Lab) hostGroup(host string) group { return labGroup(l.record.Name).child(host) }

// Hosts returns the lab's hosts, h1 first, each with its PID 1 at this moment.
func (l *Lab) Hosts() []Host {
	hosts := slices.Clone(l.record.Hosts)
	for i := range hosts {
		hosts[i].Leader = leader(l.hostGroup(hosts[i].Name))
	}
	return hosts
}

// host finds a host by name. Its Leader is not filled in.
func (l *Lab) host(name string) (Host, error) {
	for _, h := range l.record.Hosts {
		if h.Name == name {
			return h, nil
		}
	}
	return Host{}, wrong("lab %s has no host %s; it has h1 to h%d", l.record.Name, name, len(l.record.Hosts))
}
