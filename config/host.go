package config

import (
	"net"
	"slices"
	"strings"
)

// ServiceRegion is the signing name and region that a host of AWS has, with a port or without, and whether it
// has: the host's spelling decides, nothing is guessed. Known are the partitions aws, aws-us-gov and aws-cn.
func ServiceRegion(host string) (service, region string, ok bool) {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	labels := strings.Split(host, ".")
	switch {
	case strings.HasSuffix(host, ".api.aws"):
		service, region, ok = apiAWS(labels[:len(labels)-2])
	case strings.HasSuffix(host, ".on.aws"):
		service, region, ok = onAWS(labels[:len(labels)-2])
	case strings.HasSuffix(host, ".amazonaws.com.cn"):
		service, region, ok = amazonAWS(labels[:len(labels)-3])
	case strings.HasSuffix(host, ".amazonaws.com"):
		service, region, ok = amazonAWS(labels[:len(labels)-2])
	}
	// China's regions are under a domain of their own, and no others are.
	if !ok || slices.Contains(labels, "") || strings.HasPrefix(region, "cn-") != strings.HasSuffix(host, ".cn") {
		return "", "", false
	}
	return service, region, true
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

// onAWS is a host under on.aws: ID.lambda-url.R, NAME.HASH.vpc-lattice-svcs.R.
func onAWS(labels []string) (service, region string, ok bool) {
	n := len(labels)
	if n < 3 || !isRegion(labels[n-1]) {
		return "", "", false
	}
	switch labels[n-2] {
	case "lambda-url":
		return "lambda", labels[n-1], n == 3
	case lattice:
		return lattice, labels[n-1], n <= 4
	}
	return "", "", false
}

// amazonAWS is a host under amazonaws.com or amazonaws.com.cn, also one of a VPC endpoint.
func amazonAWS(labels []string) (service, region string, ok bool) {
	n := len(labels)
	if n == 3 && (labels[2] == "es" || labels[2] == "aoss") {
		return labels[2], labels[1], isRegion(labels[1])
	}
	if n > 3 && labels[n-1] == "vpce" && strings.HasPrefix(labels[0], "vpce-") {
		labels = labels[1 : n-1]
	}
	if n = len(labels); n < 2 {
		return "", "", false
	}
	region = labels[n-1]
	switch name := strings.TrimSuffix(labels[n-2], "-fips"); name {
	case "bedrock-agentcore":
		return name, region, isRegion(region)
	case "execute-api":
		return name, region, n <= 3 && isRegion(region)
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
	last := len(parts) - 1
	if last < 2 || len(parts[0]) != 2 || len(parts[last]) != 1 || parts[last] < "1" || parts[last] > "9" {
		return false
	}
	return !slices.ContainsFunc(parts[:last], func(part string) bool {
		return part == "" || strings.Trim(part, "abcdefghijklmnopqrstuvwxyz") != ""
	})
}
