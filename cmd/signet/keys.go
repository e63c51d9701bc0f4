package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"signet/config"
)

func (p *program) keysCommand() *cobra.Command {
	keys := &cobra.Command{
		Use:   "keys",
		Short: "Make, list and revoke the keys that callers of the gateway need",
		Long: `Make, list and revoke the keys that callers of the gateway need.

A key travels as "Authorization: Bearer KEY". The keys file (auth.keys_file) holds its SHA-256 alone.
A gateway that runs applies a change within two seconds.`,
	}
	keys.AddCommand(p.keysAddCommand(), p.keysListCommand(), p.keysRevokeCommand())
	return keys
}

func (p *program) keysAddCommand() *cobra.Command {
	var file configFile
	var out string
	add := &cobra.Command{
		Use:   "add NAME",
		Short: "Make a key; its secret is shown once, and only to a terminal",
		Args:  cobra.ExactArgs(1),
		RunE:  verb(func(args []string) error { return p.addKey(&file, args[0], out) }),
	}
	file.flag(add)
	add.Flags().StringVar(&out, "out", "", "write the secret to this new file (mode 0600) instead of the terminal")
	return add
}

func (p *program) keysListCommand() *cobra.Command {
	var file configFile
	list := &cobra.Command{
		Use:   "list",
		Short: "List the keys: names, and the beginning of each hash",
		Args:  cobra.NoArgs,
		RunE:  verb(func([]string) error { return p.listKeys(&file) }),
	}
	file.flag(list)
	return list
}

func (p *program) keysRevokeCommand() *cobra.Command {
	var file configFile
	revoke := &cobra.Command{
		Use:   "revoke NAME",
		Short: "Remove a key: its bearer is no longer let in",
		Args:  cobra.ExactArgs(1),
		RunE: verb(func(args []string) error {
			_, keys, err := p.keysOf(&file)
			if err != nil {
				return err
			}
			if err := keys.revoke(args[0]); err != nil {
				return err
			}
			fmt.Fprintf(p.stdout, "key %q revoked in %s\n", args[0], keys)
			return nil
		}),
	}
	file.flag(revoke)
	return revoke
}

// keysOf is the keys file of the config, and the config. Without a config file, keys may be made before
// there is one: then it is the default keys file, and a config without routes.
func (p *program) keysOf(file *configFile) (*config.Config, keysFile, error) {
	path, err := file.path(p.environ)
	if err != nil {
		empty := config.Default()
		return &empty, keysFileOf(&empty, p.environ), nil
	}
	cfg, err := config.Load(path, config.Options{Environ: p.environ})
	if err != nil {
		return nil, "", err
	}
	return cfg, keysFileOf(cfg, p.environ), nil
}

// addKey makes a key. The secret is told to somebody before it works: a key that works and that nobody
// knows is worse than a secret that does not.
func (p *program) addKey(file *configFile, name, out string) error {
	if out == "" && !terminal(p.stdout) {
		return &exit{exitUsage, errors.New("keys add: a secret is shown to a terminal only; --out FILE writes it to a new file")}
	}
	cfg, keys, err := p.keysOf(file)
	if err != nil {
		return err
	}
	secret := newSecret()
	if out != "" {
		if err := writeSecret(out, secret); err != nil {
			return err
		}
	}
	if err := keys.add(name, secret); err != nil {
		if out != "" {
			_ = os.Remove(out)
		}
		return err
	}
	if out != "" {
		fmt.Fprintf(p.stdout, "key %q added to %s; its secret is in %s\n", name, keys, out)
		return nil
	}
	fmt.Fprintf(p.stdout, "key %q added to %s. It is shown this once:\n\n  %s\n", name, keys, secret)
	if route := firstRoute(cfg); route != "" {
		printEntry(p.stdout, route, configuredURL(cfg)+"/"+route, secret)
	}
	return nil
}

// writeSecret writes a new file that its owner alone can read.
func writeSecret(path, secret string) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteString(secret + "\n")
	return errors.Join(err, f.Close())
}

func (p *program) listKeys(file *configFile) error {
	_, keys, err := p.keysOf(file)
	if err != nil {
		return err
	}
	list, err := config.ReadKeys(string(keys))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if len(list) == 0 {
		fmt.Fprintf(p.stdout, "no keys in %s; signet keys add NAME makes one\n", keys)
		return nil
	}
	w := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "NAME\tSHA-256")
	for _, key := range list {
		fmt.Fprintf(w, "%s\t%x…\n", key.Name, key.Hash[:6])
	}
	return w.Flush()
}
