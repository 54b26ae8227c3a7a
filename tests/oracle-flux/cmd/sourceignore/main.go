// Answers questions about ignore patterns with Flux's own matcher: one JSON question a line in, one JSON answer a line out.
package main

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"

	"github.com/fluxcd/pkg/sourceignore"
	"github.com/fluxcd/pkg/sourceignore/gitignore"
)

type question struct {
	Kind       string   `json:"kind"`
	Pattern    string   `json:"pattern"`
	IgnoreFile string   `json:"ignore_file"`
	Patterns   []line   `json:"patterns"`
	Defaults   bool     `json:"defaults"`
	Domain     []string `json:"domain"`
	Path       []string `json:"path"`
	IsDir      bool     `json:"is_dir"`
	Name       string   `json:"name"`
}

type line struct {
	Pattern string   `json:"pattern"`
	Domain  []string `json:"domain"`
}

type answer struct {
	Expected        string `json:"expected,omitempty"`
	ExpectedIgnored bool   `json:"expected_ignored"`
	Error           string `json:"error,omitempty"`
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 16<<20)
	out := json.NewEncoder(os.Stdout)
	for lines.Scan() {
		var q question
		if err := json.Unmarshal(lines.Bytes(), &q); err != nil {
			_ = out.Encode(answer{Error: err.Error()})
			continue
		}
		_ = out.Encode(reply(q))
	}
}

func reply(q question) answer {
	switch q.Kind {
	case "pattern":
		names := map[gitignore.MatchResult]string{
			gitignore.NoMatch: "no-match", gitignore.Exclude: "exclude", gitignore.Include: "include",
		}
		return answer{Expected: names[gitignore.ParsePattern(q.Pattern, q.Domain).Match(q.Path, q.IsDir)]}
	case "file":
		patterns := sourceignore.ReadPatterns(strings.NewReader(q.IgnoreFile), q.Domain)
		for _, p := range q.Patterns {
			patterns = append(patterns, gitignore.ParsePattern(p.Pattern, p.Domain))
		}
		if q.Defaults {
			return answer{ExpectedIgnored: sourceignore.NewDefaultMatcher(patterns, q.Domain).Match(q.Path, q.IsDir)}
		}
		return answer{ExpectedIgnored: sourceignore.NewMatcher(patterns).Match(q.Path, q.IsDir)}
	case "glob":
		matched, _ := filepath.Match(q.Pattern, q.Name)
		return answer{ExpectedIgnored: matched}
	}
	return answer{Error: "unknown kind " + q.Kind}
}
