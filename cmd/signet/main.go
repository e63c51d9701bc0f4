// Command signet serves MCP endpoints on AWS to local clients, and signs what they send.
package main

import (
	"context"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
)

// A program is what a command gets from its process, and nothing else it may reach for.
type program struct {
	args           []string
	environ        []string
	stdout, stderr io.Writer
}

func main() {
	p := &program{args: os.Args[1:], environ: os.Environ(), stdout: os.Stdout, stderr: os.Stderr}
	os.Exit(p.execute())
}

// execute runs the command that the arguments name and returns the exit code.
func (p *program) execute() int {
	root := p.root()
	root.SetArgs(p.args)
	root.SetOut(p.stdout)
	root.SetErr(p.stderr)
	cmd, err := root.ExecuteC()
	if err == nil {
		return exitOK
	}
	return p.complain(cmd, err)
}

func (p *program) root() *cobra.Command {
	root := &cobra.Command{
		Use:           "signet",
		Short:         "Signs MCP calls to AWS: one config file, many routes, each with its own identity",
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.CompletionOptions.HiddenDefaultCmd = true
	root.AddCommand(p.runCommand(), p.statusCommand(), p.reloadCommand(), p.diffCommand(), p.validateCommand(), p.schemaCommand(), p.keysCommand(), p.pinCommand(), p.versionCommand())
	root.AddCommand(p.demoCommand(), p.demoCredentialsCommand())
	return root
}

// verb makes an error of do the command's own: cobra's errors are about usage, these are not.
func verb(do func(args []string) error) func(*cobra.Command, []string) error {
	return func(_ *cobra.Command, args []string) error {
		if err := do(args); err != nil {
			return exitOf(err)
		}
		return nil
	}
}

// signals returns a context that ends with the first SIGINT or SIGTERM, and one that ends with the
// second. A third has its default effect: a program that cannot stop by itself is stopped.
func signals() (stop, kill context.Context, release func()) {
	stop, stopNow := context.WithCancel(context.Background())
	kill, killNow := context.WithCancel(context.Background())
	caught := make(chan os.Signal, 2)
	signal.Notify(caught, os.Interrupt, syscall.SIGTERM)
	// A SIGPIPE that somebody is told of does not end the program: whoever read its output may leave. Ignored
	// instead, it would be ignored in every process that credentials come from.
	unread := make(chan os.Signal, 1)
	signal.Notify(unread, syscall.SIGPIPE)
	released := make(chan struct{})
	go func() {
		for _, end := range []func(){stopNow, killNow} {
			select {
			case <-caught:
				end()
			case <-released:
				return
			}
		}
		signal.Stop(caught)
	}()
	return stop, kill, func() {
		signal.Stop(unread)
		signal.Stop(caught)
		close(released)
		stopNow()
		killNow()
	}
}
