package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/kinectl/kinectl/internal/atomicfile"
	"github.com/kinectl/kinectl/internal/spec"
)

// schemaCommand is `kinectl schema`.
func (a *app) schemaCommand() *cobra.Command {
	var out string
	cmd := &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of spec.yml, for editors",
		Long: `Prints the JSON Schema (draft 2020-12) of spec.yml: every key with its meaning,
type, bounds, default and an example. An editor with the YAML language server
completes and checks keys by it when the first line of the spec names it:

  # yaml-language-server: $schema=spec.schema.json

It does not replace lint, whose rules look at more than one value. With --output
it goes to a file, and --json prints {"path": "..."}. Without, it is JSON already.`,
		Example: `  kinectl schema
  kinectl schema --output spec.schema.json`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if out == "" {
				_, err := a.stdout.Write(spec.JSONSchema())
				if err != nil {
					return failed(fmt.Errorf("print the schema: %w", err), "")
				}
				return nil
			}
			if err := atomicfile.Write(out, spec.JSONSchema(), 0o644); err != nil {
				return failed(err, "--output names a file in a folder that exists")
			}
			if a.json {
				a.printJSON(map[string]string{"path": out})
			} else {
				fmt.Fprintln(a.stdout, "wrote", out)
			}
			return nil
		},
	}
	cmd.Flags().StringVarP(&out, "output", "o", "", "file to write instead of standard output")
	_ = cmd.MarkFlagFilename("output", "json")
	return cmd
}
