package unit

import "github.com/kinectl/kinectl/internal/plan"

// nextEnvironment is what NAME-next.service has otherwise than NAME.service, in
// the form of systemd's EnvironmentFile=: it cannot listen on the same port for
// its metrics, and those who judge it must not get the answer of another. It takes
// no client before it was judged.
func nextEnvironment(p plan.Plan) []byte {
	if !p.Deploy.Overlap {
		return nil
	}
	folder := "/run/" + p.Name + "-next/"
	return []byte("METRICS_ADDRESS=" + folder + "metrics.sock\nACCEPT_AFTER=" + folder + "accept\n")
}
