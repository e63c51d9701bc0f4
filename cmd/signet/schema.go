package main

import (
	"github.com/spf13/cobra"

	"signet/config"
)

func (p *program) schemaCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of the config file",
		Long: `Print the JSON Schema of the config file.

An editor that knows YAML schemas completes and checks the file with it:
  signet schema > signet.schema.json
and, as the file's first line,
  # yaml-language-server: $schema=signet.schema.json`,
		Args: cobra.NoArgs,
		RunE: verb(func([]string) error {
			schema, err := config.Schema()
			if err != nil {
				return err
			}
			if n := len(schema); n == 0 || schema[n-1] != '\n' {
				schema = append(schema, '\n')
			}
			_, err = p.stdout.Write(schema)
			return err
		}),
	}
}
