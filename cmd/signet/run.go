package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"signet/config"
)

func (p *program) runCommand() *cobra.Command {
	var file configFile
	var level, format string
	run := &cobra.Command{
		Use:   "run",
		Short: "Serve the routes of the config file, and follow the file as it changes",
		Long: `Serve the routes of the config file, and follow the file as it changes.

A saved file is applied within a second, and so is a change of what it includes or refers to: keys, certificates,
values. Calls under way end on what they began with, and a file with a mistake changes nothing. Every key is
followed; flags and the environment are read once. SIGHUP and signet reload read the file again at once.
SIGTERM and SIGINT let calls end first, for as long as drain says, and let nobody in meanwhile; the second one
does not wait. The exit code is 1 when a call was cut off without a last word, which a client that takes none is.`,
		Args: cobra.NoArgs,
		RunE: verb(func([]string) error {
			path, err := file.path(p.environ)
			if err != nil {
				return err
			}
			flags := map[string]any{}
			for key, value := range map[string]string{"log.level": level, "log.format": format} {
				if value != "" {
					flags[key] = value
				}
			}
			return p.serve(path, config.Options{Flags: flags, Environ: p.environ})
		}),
	}
	file.flag(run)
	run.Flags().StringVar(&level, "log-level", "", "debug, info, warn or error (wins over log.level)")
	run.Flags().StringVar(&format, "log-format", "", "auto, text or json (wins over log.format)")
	return run
}

// serve runs a gateway until a signal ends it. Nothing is made or shown before every address is bound.
func (p *program) serve(path string, o config.Options) error {
	stop, kill, release := signals()
	defer release()
	cfg, err := config.Load(path, o)
	if err != nil {
		return err
	}
	d, b, err := p.bind(stop, path, o, cfg)
	if err != nil {
		return err
	}
	secret, cfg, err := p.firstKey(d, cfg)
	if err != nil {
		b.discard()
		d.close(kill, 0)
		return err
	}
	if err := d.start(stop, cfg, b); err != nil {
		d.close(kill, 0)
		return err
	}
	p.greet(cfg, d.listeners.urls(), secret)
	failed := d.loop(stop)
	return errors.Join(failed, d.stop(kill))
}

// bind makes a daemon whose sockets are bound and that does not serve yet.
func (p *program) bind(ctx context.Context, path string, o config.Options, cfg *config.Config) (*daemon, *binding, error) {
	log, err := newLogging(p.stderr, cfg.Log)
	if err != nil {
		return nil, nil, err
	}
	d := newDaemon(path, o, log)
	if d.telemetry, err = newTelemetry(ctx, p.environ, log.Logger); err != nil {
		return nil, nil, err
	}
	log.add(d.telemetry.logHandler(), cfg.Log)
	b, err := d.listeners.prepare(cfg.Listen, cfg.TLS)
	if err != nil {
		return nil, nil, err
	}
	d.operator, err = listenOperator(path, p.environ)
	if errors.Is(err, errors.ErrUnsupported) {
		log.Warn("no operator socket, so no reload or status by command; a saved file is applied all the same", "err", err.Error())
	} else if err != nil {
		b.discard()
		return nil, nil, err
	}
	return d, b, nil
}

// firstKey makes the first key of a gateway that needs one and has no keys file, if a terminal is there to
// show it on. It returns the secret, empty when none was made, and the config with the key in it.
func (p *program) firstKey(d *daemon, cfg *config.Config) (string, *config.Config, error) {
	keys := keysFileOf(cfg, p.environ)
	if cfg.Auth.Mode != "keys" || keys.exists() || !terminal(p.stdout) {
		return "", cfg, nil
	}
	secret := newSecret()
	if err := keys.add("default", secret); err != nil {
		return "", nil, fmt.Errorf("first key: %w", err)
	}
	next, err := config.Load(d.path, d.options)
	return secret, next, err
}

// greet says what is served, and how a client gets in.
func (p *program) greet(cfg *config.Config, urls []string, secret string) {
	welcome(p.stdout, cfg, urls)
	switch route := firstRoute(cfg); {
	case secret != "" && route != "":
		fmt.Fprintf(p.stdout, "\nA first key was made, named \"default\". It is shown this once:\n\n  %s\n", secret)
		printEntry(p.stdout, route, preferredURL(urls)+"/"+route, secret)
	case cfg.Auth.Mode == "keys" && len(cfg.Auth.Keys) == 0:
		fmt.Fprintln(p.stdout, "  nobody may call yet; make a key with: signet keys add NAME")
	}
	fmt.Fprintln(p.stdout)
}
