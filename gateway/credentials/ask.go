package credentials

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"
)

// ask has one of the SDK's providers ask AWS.
func (l link) ask(ctx context.Context, who string, of aws.CredentialsProvider) (creds aws.Credentials, err error) {
	err = l.asking(ctx, who, func(ctx context.Context) error {
		creds, err = of.Retrieve(ctx)
		return err
	})
	return creds, err
}

// asking asks AWS, in its turn, within askTimeout.
func (l link) asking(ctx context.Context, who string, ask func(context.Context) error) error {
	waitFor(ctx, "sts_unreachable", l.name()+": its turn to ask "+who)
	done, err := l.options.Home.ask(ctx)
	if err != nil {
		return err
	}
	defer done()
	waitFor(ctx, "sts_unreachable", l.name()+": "+who)
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	return ask(ctx)
}

// refused says why one of AWS's services gave nothing: by the class of the error, with nothing it said but its
// code.
func (l link) refused(who, what string, err error) *Error {
	var known *Error
	var api smithy.APIError
	switch {
	case errors.As(err, &known):
		return known
	case !errors.As(err, &api) && errors.Is(err, context.DeadlineExceeded):
		return &Error{Reason: "sts_unreachable", Message: fmt.Sprintf("%s: %s did not answer in time", l.name(), who), Err: err}
	case !errors.As(err, &api):
		return &Error{Reason: "sts_unreachable", Message: fmt.Sprintf("%s: %s could not be reached", l.name(), who), Err: err}
	case busy(err, api):
		return &Error{Reason: "sts_unreachable", Message: fmt.Sprintf("%s: %s cannot serve now (%s)", l.name(), who, code(api)), Err: err}
	}
	return &Error{Reason: "no_credentials", Err: err, Message: fmt.Sprintf("%s: %s %s (%s)", l.name(), who, what, code(api))}
}

// busy reports whether a service may say otherwise in a while: a 5xx or throttling is no word on the credentials.
func busy(err error, api smithy.APIError) bool {
	var answer *awshttp.ResponseError
	if errors.As(err, &answer) && (answer.HTTPStatusCode() >= 500 || answer.HTTPStatusCode() == 429) {
		return true
	}
	return strings.HasPrefix(api.ErrorCode(), "Throttl") || api.ErrorCode() == "RequestLimitExceeded"
}

// code is an error's code if it is one word, as AWS's are: whatever answered may have put anything there.
func code(api smithy.APIError) string {
	c := api.ErrorCode()
	for _, r := range c {
		if (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '.' {
			return "with no known code"
		}
	}
	if c == "" || len(c) > 64 {
		return "with no known code"
	}
	return c
}
