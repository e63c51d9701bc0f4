package main

import (
	"fmt"
	"math/rand/v2"
	"slices"
)

// mutations is how many bodies are made of the corpus by small changes. It is the same ones each time.
const mutations = 40_000

// mutated are bodies that a change or two, small and of the kind that parsers stumble over, made of others.
func mutated(bodies []body) []body {
	random := rand.New(rand.NewPCG(6, 2))
	pieces := []string{
		`"method":"tools/call",`, `"id":2,`, `"Method":"x",`, `"params":{},`, `"name":"other",`, `"\u006eame":"other",`, `"_meta":{},`,
		`"paramſ":{},`, `\u0000`, `\ud800`, `\udc00`, `\ud83d\ude00`, "\xff", "\xef\xbb\xbf", "\x00", "\u2028", `\"`, `,`, `{`, `}`, `[`, `]`, `"`,
		`1`, `-`, `.0`, `e9`, `E400`, `null`, `true`, `NaN`, `Infinity`, `//`, "\n", "\v", "\u00a0", `"uri":"a",`, `"result":1,`, `"error":{},`, `"jsonrpc":"2.0",`,
	}
	var all []body
	for i := range mutations {
		from := bodies[random.IntN(len(bodies))]
		text := slices.Clone(from.text)
		for range 1 + random.IntN(2) {
			text = mutate(random, text, pieces)
		}
		all = append(all, body{name: fmt.Sprintf("%s, change %d", from.name, i), text: text})
	}
	return all
}

// mutate puts a piece in, takes some bytes out or puts them in twice, or changes a letter's case.
func mutate(random *rand.Rand, text []byte, pieces []string) []byte {
	at := random.IntN(len(text) + 1)
	some := text[at:min(len(text), at+random.IntN(24))]
	switch random.IntN(4) {
	case 0:
		return slices.Insert(text, at, []byte(pieces[random.IntN(len(pieces))])...)
	case 1:
		return slices.Delete(text, at, at+len(some))
	case 2:
		return slices.Insert(text, at, slices.Clone(some)...)
	}
	if at < len(text) && (text[at]|0x20 >= 'a' && text[at]|0x20 <= 'z') {
		text[at] ^= 0x20
	}
	return text
}
