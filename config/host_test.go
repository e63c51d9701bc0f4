package config

import "testing"

func TestServiceRegionReadsTheHostAndNeverGuesses(t *testing.T) {
	for host, want := range map[string][2]string{
		"aws-mcp.us-east-1.api.aws":                                {"aws-mcp", "us-east-1"},
		"AWS-MCP.US-EAST-1.API.AWS":                                {"aws-mcp", "us-east-1"},
		"aws-mcp.us-east-1.api.aws:8443":                           {"aws-mcp", "us-east-1"},
		"gw.gateway.bedrock-agentcore-fips.us-east-1.api.aws":      {"bedrock-agentcore", "us-east-1"},
		"aws-mcp.us-east-1.api.aws.":                               {"aws-mcp", "us-east-1"},
		"eks-mcp.eu-central-1.api.aws":                             {"eks-mcp", "eu-central-1"},
		"ecs-mcp.us-west-2.api.aws":                                {"ecs-mcp", "us-west-2"},
		"gw.gateway.bedrock-agentcore.us-east-1.api.aws":           {"bedrock-agentcore", "us-east-1"},
		"bedrock-agentcore.us-west-2.amazonaws.com":                {"bedrock-agentcore", "us-west-2"},
		"x.gateway.bedrock-agentcore.us-west-2.amazonaws.com":      {"bedrock-agentcore", "us-west-2"},
		"bedrock-agentcore.cn-north-1.amazonaws.com.cn":            {"bedrock-agentcore", "cn-north-1"},
		"bedrock-agentcore-fips.us-gov-west-1.amazonaws.com":       {"bedrock-agentcore", "us-gov-west-1"},
		"vpce-0a-1.bedrock-agentcore.eu-west-1.vpce.amazonaws.com": {"bedrock-agentcore", "eu-west-1"},
		"vpce-0a.execute-api.eu-west-1.vpce.amazonaws.com":         {"execute-api", "eu-west-1"},
		"abc123.execute-api.eu-west-1.amazonaws.com":               {"execute-api", "eu-west-1"},
		"abc123.execute-api.cn-northwest-1.amazonaws.com.cn":       {"execute-api", "cn-northwest-1"},
		"id.lambda-url.eu-west-1.on.aws":                           {"lambda", "eu-west-1"},
		"x.vpc-lattice-svcs.eu-west-1.on.aws":                      {"vpc-lattice-svcs", "eu-west-1"},
		"search-x.eu-west-1.es.amazonaws.com":                      {"es", "eu-west-1"},
		"x.eu-west-1.aoss.amazonaws.com":                           {"aoss", "eu-west-1"},
		"bedrock-runtime.us-east-1.amazonaws.com":                  {"bedrock", "us-east-1"},
	} {
		service, region, ok := ServiceRegion(host)
		if !ok || service != want[0] || region != want[1] {
			t.Errorf("%s: %s, %s, %v; want %v", host, service, region, ok, want)
		}
	}
	for _, host := range []string{
		"", "localhost", "127.0.0.1", "::1", "mcp.example.com", "api.aws", "us-east-1.api.aws", "amazonaws.com",
		"knowledge-mcp.global.api.aws", "other.us-east-1.api.aws", "aws-mcp.us-east-1.api.aws.evil.com",
		"aws-mcp.evil.api.aws", "x.aws-mcp.us-east-1.api.aws", "s3.us-east-1.amazonaws.com", "bucket.s3.amazonaws.com",
		"bedrock-agentcore.amazonaws.com", "lambda-url.eu-west-1.on.aws", "notamazonaws.com", "execute-api.nowhere.amazonaws.com",
	} {
		if service, region, ok := ServiceRegion(host); ok {
			t.Errorf("%s was taken for %s in %s", host, service, region)
		}
	}
}
