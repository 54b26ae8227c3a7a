// Command regex answers what Go's regexp makes of a pattern, a text and a replacement.
//
// Request: {"cases": [{"pattern": ..., "text": ..., "template": ..., "limit": ...}, ...]} with base64 texts, answered by a list.
package main

import (
	"bufio"
	"encoding/json"
	"os"
	"regexp"
)

type testCase struct {
	Pattern  string `json:"pattern"`
	Text     []byte `json:"text"`
	Template []byte `json:"template"`
	Limit    int    `json:"limit"`
}

func pieces(s []string) [][]byte {
	if s == nil {
		return nil
	}
	out := [][]byte{}
	for _, p := range s {
		out = append(out, []byte(p))
	}
	return out
}

func answer(c testCase) map[string]any {
	re, err := regexp.Compile(c.Pattern)
	if err != nil {
		return map[string]any{"error": err.Error()}
	}
	text, template := string(c.Text), string(c.Template)
	return map[string]any{
		"match":   re.MatchString(text),
		"groups":  re.FindStringSubmatchIndex(text),
		"names":   re.SubexpNames(),
		"all":     re.FindAllStringIndex(text, c.Limit),
		"replace": []byte(re.ReplaceAllString(text, template)),
		"literal": []byte(re.ReplaceAllLiteralString(text, template)),
		"split":   pieces(re.Split(text, c.Limit)),
		"quoted":  []byte(regexp.QuoteMeta(text)),
	}
}

func main() {
	decoder := json.NewDecoder(bufio.NewReaderSize(os.Stdin, 1<<20))
	encoder := json.NewEncoder(os.Stdout)
	for {
		var req struct {
			Cases []testCase `json:"cases"`
		}
		if err := decoder.Decode(&req); err != nil {
			return
		}
		answers := []map[string]any{}
		for _, c := range req.Cases {
			answers = append(answers, answer(c))
		}
		if err := encoder.Encode(answers); err != nil {
			return
		}
	}
}
