// Answers what fluxcd/pkg/envsubst makes of a text: one JSON question a line in, one JSON answer a line out.
package main

import (
	"bufio"
	"encoding/json"
	"os"

	"github.com/fluxcd/pkg/envsubst"
)

type question struct {
	Input  string            `json:"input"`
	Vars   map[string]string `json:"vars"`
	Strict bool              `json:"strict"`
}

// answer holds the text as bytes (base64 in JSON), because a substring may cut a character in half.
type answer struct {
	Expected  []byte `json:"expected"`
	Error     bool   `json:"error,omitempty"`
	ErrorText string `json:"error_text,omitempty"`
}

func evaluate(asked question) (answered answer) {
	defer func() {
		if recover() != nil {
			answered = answer{Error: true, ErrorText: "panic"}
		}
	}()
	text, err := envsubst.Eval(asked.Input, func(name string) (string, bool) {
		value, exists := asked.Vars[name]
		return value, exists || !asked.Strict
	})
	if err != nil {
		return answer{Error: true, ErrorText: err.Error()}
	}
	return answer{Expected: []byte(text)}
}

func main() {
	input := bufio.NewReaderSize(os.Stdin, 1<<20)
	output := json.NewEncoder(os.Stdout)
	for {
		line, err := input.ReadBytes('\n')
		if err != nil {
			return
		}
		var asked question
		answered := answer{Error: true, ErrorText: "unreadable question"}
		if json.Unmarshal(line, &asked) == nil {
			answered = evaluate(asked)
		}
		if output.Encode(answered) != nil {
			return
		}
	}
}
