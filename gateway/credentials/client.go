package credentials

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
)

// askTimeout bounds one request to AWS; the SDK has no limit.
const askTimeout = 10 * time.Second

// config is what a client of the SDK is made of: for this region, with these credentials, or nil. One made by
// hand knows the endpoints of one service, AWS_ENDPOINT_URL_STS and the profile's services section, only
// through ConfigSources, and those of all services only when told.
func (l link) config(ctx context.Context, region string, creds aws.CredentialsProvider) (aws.Config, error) {
	client, err := l.httpClient()
	if err != nil {
		return aws.Config{}, err
	}
	cfg := aws.Config{
		Region:        region,
		HTTPClient:    dated{client},
		Credentials:   creds,
		Retryer:       onlySkew,
		ConfigSources: []any{l.env, *l.profile},
	}
	ignored, _, err := config.GetIgnoreConfiguredEndpoints(ctx, cfg.ConfigSources)
	if endpoint := firstOf(l.env.BaseEndpoint, l.profile.BaseEndpoint); endpoint != "" && !(err == nil && ignored) {
		cfg.BaseEndpoint = &endpoint
	}
	return cfg, nil
}

// onlySkew asks again once, at once, when AWS found our clock wrong: by then the client knows the right time.
// All else is left to the Cache, which has a pause for it.
func onlySkew() aws.Retryer {
	return retry.NewStandard(func(o *retry.StandardOptions) {
		o.MaxAttempts = 2
		o.Retryables = []retry.IsErrorRetryable{retry.RetryableError{}}
		o.Backoff = retry.BackoffDelayerFunc(func(int, error) (time.Duration, error) { return 0, nil })
	})
}

// errNoCertificate is the cause of what a CA bundle without a certificate leads to.
var errNoCertificate = errors.New("no certificate")

// trusting is a client with the CA bundle that it trusts.
type trusting struct {
	path   string
	bundle [sha256.Size]byte
	client aws.HTTPClient
}

// httpClient is the client of the options, else one that trusts the CA bundle of the environment or the
// profile.
func (l link) httpClient() (aws.HTTPClient, error) {
	if l.options.HTTPClient != nil {
		return l.options.HTTPClient, nil
	}
	path := firstOf(l.env.CustomCABundle, l.profile.CustomCABundle)
	if path == "" {
		return l.options.Home.trusting(path, nil)
	}
	bundle, err := readFile(path)
	if err != nil {
		return nil, &Error{Reason: "no_credentials", Message: l.name() + ": the CA bundle (AWS_CA_BUNDLE or ca_bundle) cannot be read", Err: err}
	}
	l.read.file(path, bundle)
	client, err := l.options.Home.trusting(path, bundle)
	if err != nil {
		return nil, &Error{Reason: "no_credentials", Message: l.name() + ": there is no certificate in the CA bundle (AWS_CA_BUNDLE or ca_bundle)", Err: err}
	}
	return client, nil
}

// trusting is a client that trusts a bundle, or the system where that is nil. Reading a bundle takes
// milliseconds, so that is done once for each change.
func (h *Home) trusting(path string, bundle []byte) (aws.HTTPClient, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	sum := sha256.Sum256(bundle)
	if h.client.client != nil && h.client.path == path && h.client.bundle == sum {
		return h.client.client, nil
	}
	var roots *x509.CertPool // nil: the system's
	if bundle != nil {
		roots = x509.NewCertPool()
		if !roots.AppendCertsFromPEM(bundle) {
			return nil, errNoCertificate
		}
	}
	// An hour lies between two requests: a kept connection would be dead, and outlive the route.
	client := awshttp.NewBuildableClient().WithTransportOptions(func(t *http.Transport) {
		t.DisableKeepAlives = true
		t.TLSClientConfig.RootCAs = roots
	})
	h.client = trusting{path: path, bundle: sum, client: client}
	return client, nil
}
