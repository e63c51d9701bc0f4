package main

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/spf13/cobra"
)

// demoCredentialsCommand is what the demo's profiles name as credential_process. It is no part of what
// users script against.
func (p *program) demoCredentialsCommand() *cobra.Command {
	return &cobra.Command{
		Use:    "demo-credentials URL",
		Short:  "Print the credentials that signet demo hands out",
		Hidden: true,
		Args:   cobra.ExactArgs(1),
		RunE:   verb(func(args []string) error { return p.demoCredentials(args[0]) }),
	}
}

func (p *program) demoCredentials(url string) error {
	client := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{}}
	answer, err := client.Get(url)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", url, answer.Status)
	}
	const most = 64 << 10
	body, err := io.ReadAll(io.LimitReader(answer.Body, most))
	if err != nil {
		return err
	}
	if len(body) == most {
		return errors.New("more than credentials")
	}
	_, err = p.stdout.Write(body)
	return err
}
