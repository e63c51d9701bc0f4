package config

import (
	"net"
	"slices"
	"strings"
)

// ServiceRegion is the signing name and region that a host of AWS has, with a port or without, and whether it has: the host's
// spelling decides, nothing is guessed. A known host without a region of its own has region "".
func ServiceRegion(host string) (service, region string, ok bool) {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	labels := strings.Split(host, ".")
	switch {
	case strings.HasSuffix(host, ".api.aws"):
		return apiAWS(labels[:len(labels)-2])
	case strings.HasSuffix(host, ".on.aws"):
		return onAWS(labels[:len(labels)-2])
	case strings.HasSuffix(host, ".amazonaws.com.cn"):
		return amazonAWS(labels[:len(labels)-3])
	case strings.HasSuffix(host, ".amazonaws.com"):
		return amazonAWS(labels[:len(labels)-2])
	}
	return "", "", false
}

// apiAWS is a host under api.aws: aws-mcp.us-east-1, gw.gateway.bedrock-agentcore.us-east-1.
func apiAWS(labels []string) (service, region string, ok bool) {
	if len(labels) < 2 {
		return "", "", false
	}
	service, region = labels[len(labels)-2], labels[len(labels)-1]
	switch service {
	case "aws-mcp", "eks-mcp", "ecs-mcp":
		return service, region, len(labels) == 2 && isRegion(region)
	case "bedrock-agentcore", "bedrock-agentcore-fips":
		return "bedrock-agentcore", region, isRegion(region)
	}
	return "", "", false
}

// onAWS is a host under on.aws: ID.lambda-url.R, X.vpc-lattice-svcs.R.
func onAWS(labels []string) (service, region string, ok bool) {
	if len(labels) != 3 || !isRegion(labels[2]) {
		return "", "", false
	}
	switch labels[1] {
	case "lambda-url":
		return "lambda", labels[2], true
	case "vpc-lattice-svcs":
		return "vpc-lattice-svcs", labels[2], true
	}
	return "", "", false
}

// amazonAWS is a host under amazonaws.com or amazonaws.com.cn, also one of a VPC endpoint.
func amazonAWS(labels []string) (service, region string, ok bool) {
	if n := len(labels); n > 3 && labels[n-1] == "vpce" && strings.HasPrefix(labels[0], "vpce-") {
		labels = labels[1 : n-1]
	}
	n := len(labels)
	if n < 2 {
		return "", "", false
	}
	if region = labels[n-2]; (labels[n-1] == "es" || labels[n-1] == "aoss") && n == 3 {
		return labels[n-1], region, isRegion(region)
	}
	region = labels[n-1]
	switch name := strings.TrimSuffix(labels[n-2], "-fips"); name {
	case "bedrock-agentcore":
		return name, region, isRegion(region)
	case "execute-api":
		return name, region, isRegion(region)
	case "bedrock-runtime":
		return "bedrock", region, n == 2 && isRegion(region)
	}
	return "", "", false
}

// isS3 reports whether a host is one of S3's: s3.R, BUCKET.s3.R, s3-fips.R, BUCKET.s3-accesspoint.R.
func isS3(host string) bool {
	domain := strings.TrimSuffix(strings.TrimSuffix(host, "."), ".cn")
	if !strings.HasSuffix(domain, ".amazonaws.com") {
		return false
	}
	return slices.ContainsFunc(strings.Split(domain, "."), func(label string) bool {
		return label == "s3" || strings.HasPrefix(label, "s3-")
	})
}

// isRegion reports whether a label is a region's name: us-east-1, us-gov-west-1, cn-north-1.
func isRegion(label string) bool {
	parts := strings.Split(label, "-")
	last := parts[len(parts)-1]
	return len(parts) >= 3 && len(parts[0]) == 2 && len(last) == 1 && last[0] >= '1' && last[0] <= '9'
}
