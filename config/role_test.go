package config

import (
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/tools/txtar"
)

func TestARoleOfTheDefaultsReachesEveryRouteThatTakesOne(t *testing.T) {
	cfg, _ := load(t, `-- signet.yaml --
defaults:
  assume_role: { external_id: acme, session_name: team, duration: 30m, tags: { Team: a, Env: prod } }
  credentials: { timeout: 20s }
routes:
  takes:
    upstream: https://aws-mcp.us-east-1.api.aws/mcp
    assume_role: { arn: "arn:aws-us-gov:iam::123456789012:role/path/x" }
  own:
    upstream: https://aws-mcp.us-east-1.api.aws/mcp
    assume_role: { arn: "arn:aws:iam::123456789012:role/y", duration: 2h, tags: { env: test, More: "" } }
    credentials: { wait: 3s }
  none: { upstream: "https://aws-mcp.us-east-1.api.aws/mcp" }
`, Options{})
	for name, want := range map[string]AssumeRole{
		"takes": {
			ARN: "arn:aws-us-gov:iam::123456789012:role/path/x", ExternalID: "acme", SessionName: "team",
			Duration: 30 * time.Minute, Tags: map[string]string{"Team": "a", "Env": "prod"},
		},
		"own": {
			ARN: "arn:aws:iam::123456789012:role/y", ExternalID: "acme", SessionName: "team",
			Duration: 2 * time.Hour, Tags: map[string]string{"Team": "a", "env": "test", "More": ""},
		},
		"none": {Duration: time.Hour},
	} {
		if got := cfg.Routes[name].AssumeRole; !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, want %+v", name, got, want)
		}
	}
	if got := cfg.Routes["own"].Credentials; got != (Credentials{Timeout: 20 * time.Second, Wait: 3 * time.Second}) {
		t.Errorf("%+v", got)
	}
	if len(cfg.Warnings) > 0 {
		t.Errorf("%v", cfg.Warnings)
	}
}

func TestARouteUndoesTheRoleOfTheDefaults(t *testing.T) {
	cfg, _ := load(t, `-- signet.yaml --
defaults: { assume_role: { arn: "arn:aws-cn:iam::123456789012:role/x", tags: { a: b } } }
routes:
  takes: { upstream: "https://aws-mcp.us-east-1.api.aws/mcp" }
  empty: { upstream: "https://aws-mcp.us-east-1.api.aws/mcp", assume_role: , credentials: }
  undone: { upstream: "https://aws-mcp.us-east-1.api.aws/mcp", assume_role: { arn: "", tags: {} } }
  unsigned: { upstream: "https://mcp.example.com/mcp", upstream_auth: none }
`, Options{})
	for name, want := range map[string]bool{"takes": true, "empty": true, "undone": false, "unsigned": false} {
		got := cfg.Routes[name].AssumeRole
		if (got.ARN != "") != want || !want && !reflect.DeepEqual(got, DefaultRoute().AssumeRole) {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func TestARoleThatNoRouteTakesIsWarnedOf(t *testing.T) {
	text := "-- signet.yaml --\ndefaults: { assume_role: { duration: 30m } }\nroutes: { a: { upstream: \"https://aws-mcp.us-east-1.api.aws/mcp\" } }\n"
	cfg, _ := load(t, text, Options{})
	if len(cfg.Warnings) != 1 || !strings.HasSuffix(cfg.Warnings[0].String(), "signet.yaml:1:13: defaults.assume_role: no route takes a role\n    give it an arn, or take it away") {
		t.Errorf("%v", cfg.Warnings)
	}
}

func TestVariablesTakeTheTypesOfTheCredentialKeys(t *testing.T) {
	cfg, _ := load(t, `-- signet.yaml --
routes:
  aws:
    upstream: https://aws-mcp.us-east-1.api.aws/mcp
    upstream_auth: ${AUTH}
    payload: ${PAYLOAD}
    assume_role: { arn: "arn:aws:iam::${ACCOUNT}:role/x", external_id: "${ACCOUNT}", duration: "${FOR}", tags: { Account: "${ACCOUNT}" } }
    credentials: { timeout: "${FOR}", wait: "${WAIT}", instance_metadata: "${ASK}" }
`, Options{Environ: []string{"AUTH=sigv4-optional", "PAYLOAD=unsigned", "ACCOUNT=123456789012", "FOR=20m", "WAIT=1.5s", "ASK=true"}})
	r := cfg.Routes["aws"]
	role := AssumeRole{
		ARN: "arn:aws:iam::123456789012:role/x", ExternalID: "123456789012", Duration: 20 * time.Minute,
		Tags: map[string]string{"Account": "123456789012"},
	}
	fetch := Credentials{Timeout: 20 * time.Minute, Wait: 1500 * time.Millisecond, InstanceMetadata: true}
	if !reflect.DeepEqual(r.AssumeRole, role) || r.Credentials != fetch || r.Payload != "unsigned" || r.UpstreamAuth != "sigv4-optional" {
		t.Errorf("%+v", r)
	}
}

func TestThePayloadNobodyNamesIsTheHosts(t *testing.T) {
	const host = "https://x-0a.7d67968.vpc-lattice-svcs.us-west-2.on.aws/mcp"
	for text, want := range map[string]string{
		"routes: { a: { upstream: \"" + host + "\" } }":                                                          "unsigned",
		"routes: { a: { upstream: \"" + host + "\", payload: signed } }":                                         "signed",
		"defaults: { payload: signed }\nroutes: { a: { upstream: \"" + host + "\" } }":                           "signed",
		"defaults: { payload: signed }\nroutes: { a: { upstream: \"" + host + "\", payload: unsigned } }":        "unsigned",
		"routes: { a: { upstream: \"https://tools.corp.example/mcp\", service: vpc-lattice-svcs } }":             "unsigned",
		"routes: { a: { upstream: \"https://aws-mcp.us-east-1.api.aws/mcp\" } }":                                 "signed",
		"routes: { a: { upstream: \"https://aws-mcp.us-east-1.api.aws/mcp\", payload: unsigned } }":              "unsigned",
		"routes: { a: { upstream: \"https://mcp.example.com/mcp\", upstream_auth: none } }":                      "signed",
		"defaults: { payload: unsigned }\nroutes: { a: { upstream: \"https://eks-mcp.us-east-1.api.aws/mcp\" }}": "unsigned",
	} {
		cfg, _ := load(t, "-- signet.yaml --\n"+text+"\n", Options{})
		if got := cfg.Routes["a"].Payload; got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
		refused := strings.Contains(text, "on.aws") && want == "signed"
		if warned := len(cfg.Warnings) == 1 && strings.Contains(cfg.Warnings[0].String(), "a.payload: is signed, but VPC Lattice takes unsigned payloads alone"); warned != refused {
			t.Errorf("%s: %v", text, cfg.Warnings)
		}
	}
}

// A reload compares by reflect.DeepEqual: what means the same is the same.
func TestRolesThatMeanTheSameAreEqual(t *testing.T) {
	var all []Route
	for _, keys := range []string{"", "    assume_role:\n", "    assume_role: { tags: {} }\n", "    assume_role: { arn: \"\", duration: 60m, tags: }\n"} {
		cfg, _ := load(t, smallest+keys, Options{})
		all = append(all, cfg.Routes["aws"])
	}
	for _, r := range all {
		if !reflect.DeepEqual(r, all[0]) {
			t.Errorf("%+v, and %+v", r, all[0])
		}
	}
}

// warned are the warnings of a file, without its directory.
func warned(t *testing.T, text string, o Options) []string {
	t.Helper()
	cfg, dir := load(t, text, o)
	var all []string
	for _, w := range cfg.Warnings {
		all = append(all, strings.ReplaceAll(w.String(), dir+"/", ""))
	}
	return all
}

const awsFiles = `-- .aws/config --
[default]
region = us-east-1
[profile keys]
[profile empty]
region = us-east-1 # no source
s3 =
  role_arn = arn:aws:iam::1:role/nested
  credential_process = nested
[profile bare]
role_arn = arn:aws:iam::1:role/x
[ profile	login ] ; by a browser
login_session = arn:aws:iam::1:user/me
[profile "sso"]
sso_session=corp
mfa_serial = arn:aws:iam::1:mfa/idle
[sso-session corp]
sso_start_url = https://corp.example
[profile ci]
Credential_Process: "/bin/canary-command"
[profile machine]
role_arn = arn:aws:iam::1:role/x
credential_source = Ec2InstanceMetadata
[profile token]
role_arn = arn:aws:iam::1:role/x
web_identity_token_file = /canary
[profile mfa]
role_arn = arn:aws:iam::1:role/x
  source_profile = keys
mfa_serial = arn:aws:iam::1:mfa/canary
[profile overmfa]
role_arn = arn:aws:iam::1:role/x
source_profile = mfa
[profile overlogin]
role_arn = arn:aws:iam::1:role/x
source_profile = login
[profile twice]
role_arn = arn:aws:iam::1:role/x
source_profile = overlogin
[profile lost]
role_arn = arn:aws:iam::1:role/x
source_profile = nowhere
[profile self]
role_arn = arn:aws:iam::1:role/x
source_profile = self
[profile round]
role_arn = arn:aws:iam::1:role/x
source_profile = self
; [profile comment]
[unprefixed]
sso_session = corp
-- .aws/credentials --
[keys]
aws_access_key_id = AKIACANARY
aws_secret_access_key = canary
# role_arn = canary
[self]
aws_access_key_id = AKIACANARY
aws_secret_access_key = canary
[profile inverted]
aws_access_key_id = AKIACANARY
aws_secret_access_key = canary
`

func TestValidateSaysWhatAProfileCannotDo(t *testing.T) {
	const noSource = "names no source of credentials: calls will fail until it does"
	none := func(name string) string {
		return "no profile \"" + name + "\" in ~/.aws/config or ~/.aws/credentials: calls will fail until there is"
	}
	for name, want := range map[string]string{
		"keys": "", "login": "", "sso": "", "ci": "", "machine": "", "token": "", "self": "", "round": "",
		"default":    `profile "default" ` + noSource + "\n    aws configure --profile default",
		"empty":      `profile "empty" ` + noSource + "\n    aws configure --profile empty",
		"bare":       `profile "bare" ` + noSource + "\n    aws configure --profile bare",
		"mfa":        "profile \"mfa\" wants an MFA code, and a gateway has nobody to ask\n    name a profile whose session already has it",
		"overmfa":    "profile \"mfa\" wants an MFA code, and a gateway has nobody to ask\n    name a profile whose session already has it",
		"overlogin":  "profile \"overlogin\": its source profile \"login\" is one of aws login, which AWS's SDK takes for no source\n    write profile: login, and the role in assume_role",
		"twice":      "profile \"overlogin\": its source profile \"login\" is one of aws login, which AWS's SDK takes for no source\n    write profile: login, and the role in assume_role",
		"lost":       "profile \"lost\": there is no source profile \"nowhere\"\n    aws configure --profile nowhere",
		"ovrelogin":  none("ovrelogin") + "\n    did you mean \"overlogin\"?",
		"comment":    none("comment") + "\n    aws configure --profile comment",
		"corp":       none("corp") + "\n    aws configure --profile corp",
		"unprefixed": none("unprefixed") + "\n    aws configure --profile unprefixed",
		"inverted":   none("inverted") + "\n    aws configure --profile inverted",
	} {
		got := strings.Join(warned(t, strings.Replace(smallest, "dev", name, 1)+awsFiles, Options{}), "\n")
		if want != "" {
			want = "signet.yaml:4:5: routes.aws.profile: " + want
		}
		if got != want {
			t.Errorf("%s: got\n%s\nwant\n%s", name, got, want)
		}
		if strings.Contains(strings.ToLower(got), "canary") {
			t.Errorf("what a file holds is in\n%s", got)
		}
	}
}

func TestWarningsOfARouteThatMayGoUnsigned(t *testing.T) {
	for name, want := range map[string]string{"empty": "nothing is signed until it does", "nowhere": "nothing is signed until there is"} {
		got := warned(t, strings.Replace(smallest, "dev", name+"\n    upstream_auth: sigv4-optional", 1)+awsFiles, Options{})
		if len(got) != 1 || !strings.Contains(got[0], want) {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestAProfileOfTheEnvironmentIsNotShownInWarnings(t *testing.T) {
	for _, name := range []string{"mfa", "overlogin", "lost", "empty"} {
		got := warned(t, strings.Replace(smallest, "dev", "${PROFILE}", 1)+awsFiles, Options{Environ: []string{"PROFILE=" + name}})
		if len(got) != 1 || strings.Contains(got[0], `"`+name+`"`) || !strings.Contains(got[0], "(not shown)") {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// AWS refuses a longer session of a role that is taken by a role.
func TestALongSessionOverARoleIsWarnedOf(t *testing.T) {
	for name, want := range map[string]bool{"machine": true, "round": true, "keys": false} {
		for duration, long := range map[string]bool{"1h": false, "61m": true} {
			role := name + "\n    assume_role: { arn: \"arn:aws:iam::123456789012:role/x\", duration: " + duration + " }"
			got := warned(t, strings.Replace(smallest, "dev", role, 1)+awsFiles, Options{})
			if said := len(got) == 1 && strings.Contains(got[0], "routes.aws.assume_role.duration: is more than 1h, and profile \""+name+"\" is itself a role"); said != (want && long) || !said && len(got) > 0 {
				t.Errorf("%s, %s: %v", name, duration, got)
			}
		}
	}
}

// Both files are where AWS's variables say, and each profile is all that they say of it.
func TestProfilesAreReadFromBothFiles(t *testing.T) {
	files := strings.NewReplacer(".aws/config", "one", ".aws/credentials", "two").Replace(awsFiles)
	dir, environ := unpack(t, txtar.Parse([]byte(files)))
	l := &loading{options: Options{Environ: append(environ, "AWS_CONFIG_FILE="+dir+"/one", "AWS_SHARED_CREDENTIALS_FILE="+dir+"/two")}}
	all := l.profiles()
	want := []string{"bare", "ci", "default", "empty", "keys", "login", "lost", "machine", "mfa", "overlogin", "overmfa", "round", "self", "sso", "token", "twice"}
	if got := slices.Sorted(maps.Keys(all)); !slices.Equal(got, want) {
		t.Errorf("got\n%v\nwant\n%v", got, want)
	}
	if !all["self"].hasKeys() || all["self"].source != "self" || all["empty"].lends() || all["login"].lends() {
		t.Errorf("%+v", all)
	}
	if (&loading{options: Options{Environ: []string{"HOME=" + t.TempDir()}}}).profiles() != nil {
		t.Error("without a file there is something to say")
	}
}
