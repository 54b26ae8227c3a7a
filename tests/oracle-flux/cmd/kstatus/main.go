// Answers what kstatus makes of an object: one JSON question a line in, one JSON answer a line out.
package main

import (
	"bufio"
	"encoding/json"
	"os"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

type question struct {
	Kind   string          `json:"kind"`
	Object json.RawMessage `json:"object"`
}

type condition struct {
	Type    string `json:"type"`
	Status  string `json:"status"`
	Reason  string `json:"reason"`
	Message string `json:"message"`
}

type answer struct {
	Status     string      `json:"status,omitempty"`
	Message    string      `json:"message"`
	Conditions []condition `json:"conditions"`
	Object     any         `json:"object,omitempty"`
	Error      string      `json:"error,omitempty"`
}

func evaluate(asked question) (answered answer) {
	defer func() {
		if recover() != nil {
			answered = answer{Error: "panic"}
		}
	}()
	object := &unstructured.Unstructured{}
	if err := object.UnmarshalJSON(asked.Object); err != nil {
		return answer{Error: "not an object: " + err.Error()}
	}
	result, err := status.Compute(object)
	if err != nil {
		return answer{Error: err.Error()}
	}
	answered = answer{Status: string(result.Status), Message: result.Message, Conditions: []condition{}}
	for _, c := range result.Conditions {
		answered.Conditions = append(answered.Conditions,
			condition{Type: string(c.Type), Status: string(c.Status), Reason: c.Reason, Message: c.Message})
	}
	if asked.Kind == "augment" {
		if err := status.Augment(object); err != nil {
			return answer{Error: err.Error()}
		}
		answered.Object = object.Object
	}
	return answered
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
		answered := answer{Error: "unreadable question"}
		if json.Unmarshal(line, &asked) == nil {
			answered = evaluate(asked)
		}
		if output.Encode(answered) != nil {
			return
		}
	}
}
