package service

import (
	"cmp"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
)

// Set at link time by kinectl package:
// -X github.com/kinectl/kinectl/service.version=1.2.3
var name, version, revision, buildTime string

// Build says what the program is.
type Build struct {
	Name, Version, Revision, BuildTime, GoVersion string
}

// String is the line of --version.
func (b Build) String() string {
	return b.Name + " " + b.Version + " (revision " + b.Revision + ", built " + b.BuildTime + " with " + b.GoVersion + ")"
}

// thisBuild is what the linker was told, and else what Go knows of the program.
func thisBuild() Build {
	linked := Build{Name: name, Version: version, Revision: revision, BuildTime: buildTime}
	info, _ := debug.ReadBuildInfo()
	return linked.or(info, filepath.Base(os.Args[0]))
}

// or fills what is empty from info, which may be nil: Go has it of the version
// control when a program is built within its repository (runtime/debug.BuildSetting).
func (b Build) or(info *debug.BuildInfo, program string) Build {
	var known Build
	if info != nil {
		settings := map[string]string{}
		for _, s := range info.Settings {
			settings[s.Key] = s.Value
		}
		if info.Path != "" && info.Path != "command-line-arguments" {
			known.Name = path.Base(info.Path)
		}
		if info.Main.Version != "(devel)" {
			known.Version = strings.TrimPrefix(info.Main.Version, "v")
		}
		known.Revision, known.BuildTime = settings["vcs.revision"], settings["vcs.time"]
	}
	return Build{
		Name:      cmp.Or(b.Name, known.Name, program),
		Version:   cmp.Or(b.Version, known.Version, "0.0.0"),
		Revision:  cmp.Or(b.Revision, known.Revision, "unknown"),
		BuildTime: cmp.Or(b.BuildTime, known.BuildTime, "unknown"),
		GoVersion: runtime.Version(),
	}
}
