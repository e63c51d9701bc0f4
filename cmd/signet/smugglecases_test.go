package main

import "maps"

// A smuggling is a request that two programs may read differently, and the status that it is answered with.
// {REST} is a whole request which must not be read as one, {END} the end of what the client sends.
type smuggling struct {
	status int
	raw    string
}

// head begins a request whose framing is still to come.
const head = "POST /r HTTP/1.1\r\nHost: {HOST}\r\nContent-Type: application/json\r\n"

// framed is a request with the length of its message, after other header lines.
func framed(lines string) string { return head + lines + "Content-Length: {N}\r\n\r\n{MESSAGE}" }

// sized is a request with a length, as it is written, and one that follows if it was believed to be shorter.
func sized(length string) string { return head + "Content-Length:" + length + "\r\n\r\n{MESSAGE}" }

// chunked is a request in chunks, after other header lines, and another behind it.
func chunked(lines string) string { return head + lines + "\r\n{CHUNK}0\r\n\r\n{REST}" }

// inChunks is a request whose body is as it is given, and another behind it.
func inChunks(body string) string {
	return head + "Transfer-Encoding: chunked\r\n\r\n" + body + "{REST}"
}

// aimed is a request with another first line and other hosts.
func aimed(line, hosts string) string {
	return line + "\r\n" + hosts + "Content-Type: application/json\r\nContent-Length: {N}\r\n\r\n{MESSAGE}"
}

const (
	ownHost = "Host: {HOST}\r\n"
	te      = "Transfer-Encoding: chunked\r\n"
)

func smugglings() map[string]smuggling {
	all := map[string]smuggling{}
	for _, some := range []map[string]smuggling{lengths(), codings(), chunks(), lines(), hosts()} {
		maps.Copy(all, some)
	}
	return all
}

func lengths() map[string]smuggling {
	return map[string]smuggling{
		"length, then chunks":         {200, chunked("Content-Length: {N}\r\n" + te)},
		"chunks, then length":         {200, chunked(te + "Content-Length: {N}\r\n")},
		"no length and chunks":        {200, chunked("Content-Length: 0\r\n" + te)},
		"a long length and chunks":    {200, chunked("Content-Length: 4000\r\n" + te)},
		"a bad length and chunks":     {400, chunked("Content-Length: x\r\n" + te)},
		"two lengths and chunks":      {400, chunked("Content-Length: 5\r\nContent-Length: 6\r\n" + te)},
		"two lengths":                 {400, head + "Content-Length: {N}\r\nContent-Length: 5\r\n\r\n{MESSAGE}{REST}"},
		"two lengths, the other way":  {400, head + "Content-Length: 5\r\nContent-Length: {N}\r\n\r\n{MESSAGE}{REST}"},
		"the same length twice":       {200, framed("Content-Length: {N}\r\n")},
		"the same length in a list":   {400, sized(" {N}, {N}")},
		"two lengths in a list":       {400, sized(" {N}, 5")},
		"a length with a sign":        {400, sized(" +{N}")},
		"a negative length":           {400, sized(" -1")},
		"a hexadecimal length":        {400, sized(" 0x28")},
		"a length in powers":          {400, sized(" 4e1")},
		"a length with a fraction":    {400, sized(" {N}.0")},
		"a length with a parameter":   {400, sized(" {N};x")},
		"a length and a space inside": {400, sized(" {N} 1")},
		"a length in other digits":    {400, sized(" ٤٠")},
		"an empty length":             {400, sized("")},
		"a length beyond 64 bits":     {400, sized(" 99999999999999999999")},
		"a length with underscores":   {400, sized(" 4_0")},
		"a length after a tab":        {200, sized("\t{N}")},
		"a length before spaces":      {200, sized(" {N}  ")},
		"a length with zeros":         {200, sized(" 000{N}")},
		"a length with a NUL":         {400, sized(" {N}\x00")},
		"a length in a folded line":   {200, sized("\r\n {N}")},
		"a length that is too short":  {400, head + "Content-Length: 10\r\n\r\n{MESSAGE}"},
		"a length that is too long":   {400, head + "Content-Length: 400\r\n\r\n{MESSAGE}{END}"},
	}
}

func codings() map[string]smuggling {
	return map[string]smuggling{
		"another coding":                {501, chunked("Transfer-Encoding: xchunked\r\n")},
		"a coding before chunked":       {501, chunked("Transfer-Encoding: gzip, chunked\r\n")},
		"a coding after chunked":        {501, chunked("Transfer-Encoding: chunked, identity\r\n")},
		"chunked twice in a list":       {501, chunked("Transfer-Encoding: chunked, chunked\r\n")},
		"chunked twice":                 {501, chunked(te + te)},
		"two codings":                   {501, chunked(te + "Transfer-Encoding: identity\r\n")},
		"an empty coding":               {501, chunked("Transfer-Encoding:\r\n")},
		"chunked with a comma":          {501, chunked("Transfer-Encoding: ,chunked\r\n")},
		"chunked with a parameter":      {501, chunked("Transfer-Encoding: chunked;x=y\r\n")},
		"chunked in quotes":             {501, chunked("Transfer-Encoding: \"chunked\"\r\n")},
		"chunked after a vertical tab":  {400, chunked("Transfer-Encoding: \x0bchunked\r\n")},
		"chunked with a NUL":            {400, chunked("Transfer-Encoding: chunked\x00\r\n")},
		"chunked and a bare CR":         {400, chunked("Transfer-Encoding: chunked\r\r\n")},
		"chunked before a colon":        {400, chunked("Transfer-Encoding : chunked\r\n")},
		"chunked and a tab before":      {400, chunked("Transfer-Encoding\t: chunked\r\n")},
		"chunked after a tab":           {200, chunked("Transfer-Encoding:\tchunked\r\n")},
		"chunked in capitals":           {200, chunked("TRANSFER-ENCODING: CHUNKED\r\n")},
		"chunked in a folded line":      {200, chunked("Transfer-Encoding:\r\n chunked\r\n")},
		"a fold that looks like one":    {200, framed("X-Other: y\r\n Transfer-Encoding: chunked\r\n")},
		"an underscore for the hyphen":  {200, framed("Transfer_Encoding: chunked\r\n")},
		"chunks behind a bare LF":       {200, chunked("X-Other: y\nTransfer-Encoding: chunked\r\n")},
		"chunks behind a bare CR":       {400, chunked("X-Other: y\rTransfer-Encoding: chunked\r\n")},
		"chunks in HTTP/1.0":            {400, "POST /r HTTP/1.0\r\nHost: {HOST}\r\nContent-Type: application/json\r\n" + te + "\r\n{CHUNK}0\r\n\r\n"},
		"length and chunks in HTTP/1.0": {200, "POST /r HTTP/1.0\r\nHost: {HOST}\r\nContent-Type: application/json\r\n" + te + "Content-Length: {N}\r\n\r\n{MESSAGE}{REST}"},
	}
}

func chunks() map[string]smuggling {
	const message = "{MESSAGE}\r\n0\r\n\r\n"
	return map[string]smuggling{
		"a chunk's size with 0x":        {400, inChunks("0x28\r\n" + message)},
		"a chunk's size with a sign":    {400, inChunks("+28\r\n" + message)},
		"a negative chunk":              {400, inChunks("-28\r\n" + message)},
		"no size of a chunk":            {400, inChunks("\r\n" + message)},
		"a chunk beyond 64 bits":        {400, inChunks("10000000000000028\r\n" + message)},
		"a chunk's size with zeros":     {200, inChunks("00000028\r\n" + message)},
		"a chunk with an extension":     {200, inChunks("28;a=b\r\n" + message)},
		"an extension with a bare LF":   {400, inChunks("28;a\n" + message)},
		"a size that ends in a bare LF": {400, inChunks("28\n" + message)},
		"a chunk that ends in a LF":     {400, inChunks("28\r\n{MESSAGE}\n0\r\n\r\n")},
		"a chunk that does not end":     {400, inChunks("28\r\n{MESSAGE}0\r\n\r\n")},
		"a chunk longer than its size":  {400, inChunks("20\r\n" + message)},
		"a trailer that is a length":    {200, inChunks("28\r\n{MESSAGE}\r\n0\r\nContent-Length: 5\r\n\r\n")},
		"chunks without an end":         {400, head + te + "\r\n{CHUNK}{END}"},
	}
}

func lines() map[string]smuggling {
	return map[string]smuggling{
		"bare LFs":                     {200, "POST /r HTTP/1.1\nHost: {HOST}\nContent-Type: application/json\nContent-Length: {N}\n\n{MESSAGE}"},
		"bare CRs":                     {400, "POST /r HTTP/1.1\rHost: {HOST}\rContent-Length: {N}\r\r{MESSAGE}\r\n\r\n"},
		"an empty line first":          {400, "\r\n" + framed("")},
		"a header line without colon":  {400, framed("Transfer-Encoding chunked\r\n")},
		"a header line without a name": {400, framed(": chunked\r\n")},
		"a fold in the first line":     {400, "POST /r HTTP/1.1\r\n Host: {HOST}\r\nContent-Length: {N}\r\n\r\n{MESSAGE}"},
		"a NUL in a name":              {400, framed("X\x00Y: z\r\n")},
		"a space in a name":            {400, framed("X Y: z\r\n")},
		"a NUL in a value":             {400, framed("X-Other: a\x00b\r\n")},
		"a bare CR in a value":         {400, framed("X-Other: a\rb\r\n")},
		"two spaces in the line":       {400, aimed("POST  /r HTTP/1.1", ownHost)},
		"a tab in the line":            {400, aimed("POST\t/r\tHTTP/1.1", ownHost)},
		"a version twice":              {400, aimed("POST /r HTTP/1.1 HTTP/1.1", ownHost)},
		"a version that is none":       {400, aimed("POST /r HTTP/1.1x", ownHost)},
		"no version":                   {400, aimed("POST /r", ownHost)},
		"a method that is none":        {400, aimed("PO@ST\x01 /r HTTP/1.1", ownHost)},
		"a method in lower case":       {405, aimed("post /r HTTP/1.1", ownHost)},
		"HTTP/2 in a line":             {505, aimed("POST /r HTTP/2.0", ownHost)},
		"the preface of HTTP/2":        {403, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n{REST}"},
		"an upgrade to h2c":            {200, framed("Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA\r\n")},
		"a length that is by the hop":  {200, framed("Connection: Content-Length\r\n")},
		"an expectation":               {200, framed("Expect: 100-continue\r\n")},
		"another expectation":          {417, framed("Expect: 200-ok\r\n")},
		"a body of a GET":              {405, "GET /r HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: {N}\r\n\r\n{MESSAGE}"},
	}
}

func hosts() map[string]smuggling {
	return map[string]smuggling{
		"two hosts":                {400, aimed("POST /r HTTP/1.1", ownHost+"Host: evil.example\r\n")},
		"the same host twice":      {400, aimed("POST /r HTTP/1.1", ownHost+ownHost)},
		"no host":                  {400, aimed("POST /r HTTP/1.1", "")},
		"an empty host":            {403, aimed("POST /r HTTP/1.1", "Host:\r\n")},
		"another host":             {403, aimed("POST /r HTTP/1.1", "Host: evil.example\r\n")},
		"two hosts in a list":      {400, aimed("POST /r HTTP/1.1", "Host: {HOST}, evil.example\r\n")},
		"a host with a user":       {400, aimed("POST /r HTTP/1.1", "Host: {HOST}@evil.example\r\n")},
		"a host with a path":       {400, aimed("POST /r HTTP/1.1", "Host: {HOST}/x\r\n")},
		"its own URL in full":      {200, aimed("POST http://{HOST}/r HTTP/1.1", ownHost)},
		"its own URL, other host":  {200, aimed("POST http://{HOST}/r HTTP/1.1", "Host: evil.example\r\n")},
		"another URL, its host":    {403, aimed("POST http://evil.example/r HTTP/1.1", ownHost)},
		"a URL of another kind":    {404, aimed("POST evil:{HOST}/r HTTP/1.1", ownHost)},
		"a path with two slashes":  {404, aimed("POST //r HTTP/1.1", ownHost)},
		"a path that goes up":      {404, aimed("POST /x/../r HTTP/1.1", ownHost)},
		"a path with an escape":    {404, aimed("POST /%72 HTTP/1.1", ownHost)},
		"a path with a line break": {404, aimed("POST /r%0d%0aX:y HTTP/1.1", ownHost)},
		"a path with a NUL":        {400, aimed("POST /r\x00 HTTP/1.1", ownHost)},
		"a path with a query":      {400, aimed("POST /r?x HTTP/1.1", ownHost)},
		"a path with a fragment":   {404, aimed("POST /r#x HTTP/1.1", ownHost)},
		"an asterisk":              {404, aimed("POST * HTTP/1.1", ownHost)},
		"OPTIONS of the server":    {405, "OPTIONS * HTTP/1.1\r\nHost: {HOST}\r\n\r\n"},
		"a CONNECT":                {405, "CONNECT /r HTTP/1.1\r\nHost: {HOST}\r\n\r\n{REST}"},
	}
}
