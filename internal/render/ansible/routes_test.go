package ansible

import "github.com/kinectl/kinectl/internal/plan"

// withRoutes is known by two names, of which one has two paths and ports.
func withRoutes() plan.Plan {
	p := hello("1")
	p.Routes = []plan.Route{
		{Host: "films.example.com", Path: "/", Port: 8080},
		{Host: "*.films.example.com", Path: "/", Port: 8080},
		{Host: "films.example.com", Path: "/admin", Port: 8081},
	}
	return p
}
