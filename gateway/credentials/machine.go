package credentials

import (
	"context"
	"net"
	"net/netip"
	"net/url"
	"os"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials/ec2rolecreds"
	"github.com/aws/aws-sdk-go-v2/credentials/endpointcreds"
	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"
)

// ecs is where a path of AWS_CONTAINER_CREDENTIALS_RELATIVE_URI leads.
const ecs = "http://169.254.170.2"

// containerURI is where the environment says that a container has its credentials. Empty: it does not.
func (l link) containerURI() string {
	if path := l.env.ContainerCredentialsRelativePath; path != "" {
		return ecs + path
	}
	return l.env.ContainerCredentialsEndpoint
}

// container asks the endpoint of ECS or EKS.
func (l link) container(ctx context.Context) (aws.Credentials, error) {
	uri := l.containerURI()
	if uri == "" {
		return aws.Credentials{}, none(l.name() + " wants a container's credentials, but AWS_CONTAINER_CREDENTIALS_RELATIVE_URI and _FULL_URI are not set")
	}
	if !mayHoldSecrets(ctx, uri) {
		return aws.Credentials{}, none("AWS_CONTAINER_CREDENTIALS_FULL_URI is neither https nor on this machine: the token would be sent in the clear")
	}
	token := l.env.ContainerAuthorizationToken
	if path := os.Getenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"); path != "" {
		f, err := l.token(ctx, path)
		if err != nil {
			return aws.Credentials{}, &Error{Reason: "no_credentials", Err: err, Message: "the file of AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE cannot be read"}
		}
		token = string(f.text)
	}
	client, err := l.httpClient()
	if err != nil {
		return aws.Credentials{}, err
	}
	creds, err := l.ask(ctx, "the container's endpoint", endpointcreds.New(uri, func(o *endpointcreds.Options) {
		o.AuthorizationToken, o.HTTPClient, o.Retryer = token, dated{client}, aws.NopRetryer{}
	}))
	if err != nil {
		return aws.Credentials{}, l.lacking("the container's endpoint", "gives no credentials", err)
	}
	return creds, usable(ctx, creds, "the container's endpoint")
}

// mayHoldSecrets reports whether a container's endpoint may be sent a token: by https, or to one of the
// addresses that only this machine has. The SDK's rule.
func mayHoldSecrets(ctx context.Context, uri string) bool {
	u, err := url.Parse(uri)
	if err != nil || u.Hostname() == "" {
		return false
	}
	if u.Scheme == "https" {
		return true
	}
	addresses := []string{u.Hostname()}
	if _, err := netip.ParseAddr(u.Hostname()); err != nil {
		if addresses, err = net.DefaultResolver.LookupHost(ctx, u.Hostname()); err != nil {
			return false
		}
	}
	for _, address := range addresses {
		ip, err := netip.ParseAddr(address)
		if err != nil || !ip.IsLoopback() && address != "169.254.170.2" && address != "169.254.170.23" && address != "fd00:ec2::23" {
			return false
		}
	}
	return u.Scheme == "http" && len(addresses) > 0
}

// instance asks the instance's metadata for its role.
func (l link) instance(ctx context.Context) (aws.Credentials, error) {
	cfg, err := l.config(ctx, l.region, nil)
	if err != nil {
		return aws.Credentials{}, err
	}
	if l.options.HTTPClient == nil {
		cfg.HTTPClient = nil // the package's own, which gives up in half a second where there is no instance
	}
	creds, err := l.ask(ctx, "the instance's metadata", ec2rolecreds.New(func(o *ec2rolecreds.Options) { o.Client = imds.NewFromConfig(cfg) }))
	if err != nil {
		return aws.Credentials{}, l.lacking("the instance's metadata", "gives no role's credentials", err)
	}
	return creds, usable(ctx, creds, "the instance's metadata")
}

// lacking says that the machine has none: a part of it that is silent is one that is not there.
func (l link) lacking(who, what string, err error) *Error {
	e := l.refused(who, what, err)
	e.Reason = "no_credentials"
	return e
}
