package service

import (
	"runtime"
	"runtime/debug"
	"testing"
)

func TestBuild(t *testing.T) {
	f := func(linked Build, info *debug.BuildInfo, want Build) {
		t.Helper()
		want.GoVersion = runtime.Version()
		if got := linked.or(info, "program"); got != want {
			t.Errorf("%+v, want %+v", got, want)
		}
	}
	info := &debug.BuildInfo{
		Path: "example.org/team/films", Main: debug.Module{Version: "v1.2.3"},
		Settings: []debug.BuildSetting{{Key: "vcs.revision", Value: "abc"}, {Key: "vcs.time", Value: "2026-01-02T03:04:05Z"}},
	}
	f(Build{}, nil, Build{Name: "program", Version: "0.0.0", Revision: "unknown", BuildTime: "unknown"})
	f(Build{}, &debug.BuildInfo{Path: "command-line-arguments", Main: debug.Module{Version: "(devel)"}}, Build{Name: "program", Version: "0.0.0", Revision: "unknown", BuildTime: "unknown"})
	f(Build{}, info, Build{Name: "films", Version: "1.2.3", Revision: "abc", BuildTime: "2026-01-02T03:04:05Z"})
	f(Build{Name: "api", Version: "2.0.0-rc1", Revision: "def", BuildTime: "now"}, info, Build{Name: "api", Version: "2.0.0-rc1", Revision: "def", BuildTime: "now"})
}
