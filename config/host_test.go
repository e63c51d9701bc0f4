package config

import "testing"

// Each kind of host in each partition, with FIPS, a VPC endpoint, a port, upper case and the last dot.
func TestServiceRegionReadsTheHost(t *testing.T) {
	for host, want := range map[string][2]string{
		"aws-mcp.us-east-1.api.aws":                                             {"aws-mcp", "us-east-1"},
		"AWS-MCP.US-EAST-1.API.AWS":                                             {"aws-mcp", "us-east-1"},
		"aws-mcp.us-east-1.api.aws:8443":                                        {"aws-mcp", "us-east-1"},
		"aws-mcp.us-east-1.api.aws.":                                            {"aws-mcp", "us-east-1"},
		"aws-mcp.us-gov-west-1.api.aws":                                         {"aws-mcp", "us-gov-west-1"},
		"eks-mcp.eu-central-1.api.aws":                                          {"eks-mcp", "eu-central-1"},
		"Eks-Mcp.Eu-Central-1.Api.Aws:443":                                      {"eks-mcp", "eu-central-1"},
		"ecs-mcp.us-west-2.api.aws":                                             {"ecs-mcp", "us-west-2"},
		"bedrock-agentcore.us-west-2.api.aws":                                   {"bedrock-agentcore", "us-west-2"},
		"gw.gateway.bedrock-agentcore.us-east-1.api.aws":                        {"bedrock-agentcore", "us-east-1"},
		"gw.gateway.bedrock-agentcore-fips.us-east-1.api.aws":                   {"bedrock-agentcore", "us-east-1"},
		"bedrock-agentcore.us-west-2.amazonaws.com":                             {"bedrock-agentcore", "us-west-2"},
		"BEDROCK-AGENTCORE.US-WEST-2.AMAZONAWS.COM:8443":                        {"bedrock-agentcore", "us-west-2"},
		"x.gateway.bedrock-agentcore.us-west-2.amazonaws.com":                   {"bedrock-agentcore", "us-west-2"},
		"bedrock-agentcore.cn-north-1.amazonaws.com.cn":                         {"bedrock-agentcore", "cn-north-1"},
		"x.gateway.bedrock-agentcore.cn-northwest-1.amazonaws.com.cn:443":       {"bedrock-agentcore", "cn-northwest-1"},
		"bedrock-agentcore.us-gov-west-1.amazonaws.com":                         {"bedrock-agentcore", "us-gov-west-1"},
		"bedrock-agentcore-fips.us-gov-west-1.amazonaws.com":                    {"bedrock-agentcore", "us-gov-west-1"},
		"bedrock-agentcore-fips.us-east-1.amazonaws.com":                        {"bedrock-agentcore", "us-east-1"},
		"vpce-0a-1.bedrock-agentcore.eu-west-1.vpce.amazonaws.com":              {"bedrock-agentcore", "eu-west-1"},
		"vpce-0a-1-eu-west-1a.bedrock-agentcore.eu-west-1.vpce.amazonaws.com":   {"bedrock-agentcore", "eu-west-1"},
		"vpce-0a-1.bedrock-agentcore-fips.us-gov-east-1.vpce.amazonaws.com":     {"bedrock-agentcore", "us-gov-east-1"},
		"vpce-0a.gateway.bedrock-agentcore.eu-west-1.vpce.amazonaws.com":        {"bedrock-agentcore", "eu-west-1"},
		"vpce-0a.bedrock-agentcore.cn-north-1.vpce.amazonaws.com.cn":            {"bedrock-agentcore", "cn-north-1"},
		"vpce-0a.execute-api.eu-west-1.vpce.amazonaws.com":                      {"execute-api", "eu-west-1"},
		"VPCE-0A.EXECUTE-API.EU-WEST-1.VPCE.AMAZONAWS.COM":                      {"execute-api", "eu-west-1"},
		"vpce-0a.execute-api.cn-north-1.vpce.amazonaws.com.cn:443":              {"execute-api", "cn-north-1"},
		"abc123.execute-api.eu-west-1.amazonaws.com":                            {"execute-api", "eu-west-1"},
		"abc123.execute-api.us-gov-west-1.amazonaws.com":                        {"execute-api", "us-gov-west-1"},
		"abc123.execute-api-fips.us-gov-west-1.amazonaws.com":                   {"execute-api", "us-gov-west-1"},
		"abc123-vpce-0a.execute-api.eu-west-1.amazonaws.com":                    {"execute-api", "eu-west-1"},
		"abc123.execute-api.cn-northwest-1.amazonaws.com.cn":                    {"execute-api", "cn-northwest-1"},
		"id.lambda-url.eu-west-1.on.aws":                                        {"lambda", "eu-west-1"},
		"ID.Lambda-URL.eu-west-1.On.AWS:443":                                    {"lambda", "eu-west-1"},
		"id.lambda-url.us-gov-west-1.on.aws":                                    {"lambda", "us-gov-west-1"},
		"x.vpc-lattice-svcs.eu-west-1.on.aws":                                   {"vpc-lattice-svcs", "eu-west-1"},
		"tools-02031c045478f6ddf.7d67968.vpc-lattice-svcs.us-west-2.on.aws":     {"vpc-lattice-svcs", "us-west-2"},
		"TOOLS-02031C045478F6DDF.7D67968.VPC-LATTICE-SVCS.US-WEST-2.ON.AWS:443": {"vpc-lattice-svcs", "us-west-2"},
		"search-x.eu-west-1.es.amazonaws.com":                                   {"es", "eu-west-1"},
		"vpc-x.us-gov-west-1.es.amazonaws.com":                                  {"es", "us-gov-west-1"},
		"search-x.cn-north-1.es.amazonaws.com.cn":                               {"es", "cn-north-1"},
		"x.eu-west-1.aoss.amazonaws.com":                                        {"aoss", "eu-west-1"},
		"X.EU-WEST-1.AOSS.AMAZONAWS.COM:443":                                    {"aoss", "eu-west-1"},
		"bedrock-runtime.us-east-1.amazonaws.com":                               {"bedrock", "us-east-1"},
		"bedrock-runtime-fips.us-gov-west-1.amazonaws.com":                      {"bedrock", "us-gov-west-1"},
		"vpce-0a.bedrock-runtime.ap-southeast-2.vpce.amazonaws.com":             {"bedrock", "ap-southeast-2"},
	} {
		service, region, ok := ServiceRegion(host)
		if !ok || service != want[0] || region != want[1] {
			t.Errorf("%s: %s, %s, %v; want %v", host, service, region, ok, want)
		}
	}
}

func TestServiceRegionNeverGuesses(t *testing.T) {
	for _, host := range []string{
		// no host of AWS
		"", ".", "localhost", "localhost:8080", "127.0.0.1", "127.0.0.1:443", "::1", "[::1]:8443", "mcp.example.com", "mcp.example.com:443",
		"aws-mcp.us-east-1.api.aws.evil.com", "bedrock-agentcore.us-west-2.amazonaws.com.evil.cn", "notamazonaws.com", "xapi.aws",
		"bedrock-agentcore.us-west-2.notamazonaws.com", "aws-mcp.us-east-1.xapi.aws", "id.lambda-url.eu-west-1.xon.aws",
		// no service, or one that is not in the table
		"api.aws", "us-east-1.api.aws", "amazonaws.com", "on.aws", "amazonaws.com.cn", ".api.aws", ".on.aws", ".amazonaws.com.cn",
		"knowledge-mcp.global.api.aws", "KNOWLEDGE-MCP.GLOBAL.API.AWS:443", "other.us-east-1.api.aws", "aws-mcp-fips.us-east-1.api.aws",
		"x.aws-mcp.us-east-1.api.aws", "vpce-0a.aws-mcp.us-east-1.vpce.api.aws", "bedrock-agentcore-control.us-east-1.amazonaws.com",
		"bedrock-agentcore-fips-fips.us-east-1.amazonaws.com", "x.bedrock-runtime.us-east-1.amazonaws.com", "sts.us-east-1.amazonaws.com",
		"x.y.execute-api.eu-west-1.amazonaws.com", "s3.us-east-1.amazonaws.com", "bucket.s3.amazonaws.com", "es.eu-west-1.amazonaws.com",
		"eu-west-1.es.amazonaws.com", "x.y.eu-west-1.es.amazonaws.com", "vpce-0a.x.eu-west-1.es.vpce.amazonaws.com",
		"id.function-url.eu-west-1.on.aws", "lambda-url.eu-west-1.on.aws", "x.id.lambda-url.eu-west-1.on.aws",
		"vpc-lattice-svcs.eu-west-1.on.aws", "a.b.c.vpc-lattice-svcs.eu-west-1.on.aws",
		"0a.execute-api.eu-west-1.vpce.amazonaws.com", "execute-api.eu-west-1.vpce.amazonaws.com",
		// no region, or none that there can be
		"aws-mcp.evil.api.aws", "aws-mcp.api.aws", "aws-mcp.us-east.api.aws", "aws-mcp.us-east-10.api.aws", "aws-mcp.us--1.api.aws",
		"aws-mcp.1u-east-1.api.aws", "aws-mcp.us-e4st-1.api.aws", "aws-mcp.us-east-0.api.aws", "aws-mcp.us-east-1a.api.aws",
		"bedrock-agentcore.amazonaws.com", "execute-api.nowhere.amazonaws.com", "x.global.es.amazonaws.com", "..us-east-1.api.aws",
		"gateway..bedrock-agentcore.us-east-1.api.aws",
		// a region of another partition, and partitions that nothing is known of
		"bedrock-agentcore.cn-north-1.amazonaws.com", "bedrock-agentcore.us-east-1.amazonaws.com.cn", "id.lambda-url.cn-north-1.on.aws",
		"aws-mcp.cn-north-1.api.aws", "aws-mcp.cn-north-1.api.amazonwebservices.com.cn", "bedrock-agentcore.eusc-de-east-1.amazonaws.eu",
		"aws-mcp.eusc-de-east-1.api.amazonwebservices.eu", "abc123.execute-api.eusc-de-east-1.amazonaws.com",
		"execute-api.us-iso-east-1.c2s.ic.gov",
	} {
		if service, region, ok := ServiceRegion(host); ok {
			t.Errorf("%s was taken for %s in %s", host, service, region)
		}
	}
}
