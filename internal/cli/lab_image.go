package cli

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/kinectl/kinectl/internal/lab"
)

func (a *app) labImageCommand() *cobra.Command {
	var options lab.ImageOptions
	cmd := &cobra.Command{
		Use:   "image",
		Short: "Build the base image of the labs",
		Long: `Builds the Debian image that all hosts of all labs share, unless it is there already,
and prints its directory. lab up does this by itself. The image is kept in
/var/cache/kinectl-lab, or in $KINECTL_LAB_CACHE.`,
		Example: `  sudo kinectl lab image
  sudo kinectl lab image --mirror http://deb.debian.org/debian`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			options.Cache = os.Getenv("KINECTL_LAB_CACHE")
			path, err := lab.BuildImage(cmd.Context(), options, a.labProgress())
			if err != nil {
				return labError(err, "lab")
			}
			if a.json {
				a.printJSON(map[string]string{"image": path})
				return nil
			}
			fmt.Fprintln(a.stdout, path)
			return nil
		},
	}
	cmd.Flags().StringVar(&options.Mirror, "mirror", "", "Debian mirror (default: the one this machine uses)")
	return cmd
}
