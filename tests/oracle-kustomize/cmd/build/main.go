// Command build answers what kustomize makes of a tree of files: one JSON request a line, one JSON answer a line.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"path"

	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/kustomize/kyaml/openapi"
)

type request struct {
	Files  map[string]string `json:"files"`
	Root   string            `json:"root"`
	Legacy bool              `json:"legacy"`
	Free   bool              `json:"free"`
	// Schema: the tree brings a schema of its own.
	Schema bool `json:"schema"`
}

// schemaInForce tells that the last build brought a schema, which is global in kustomize.
var schemaInForce = true

type answer struct {
	Output string `json:"output"`
	Error  string `json:"error,omitempty"`
}

func build(r request) (a answer) {
	defer func() {
		if p := recover(); p != nil {
			a = answer{Error: fmt.Sprint("panic: ", p)}
		}
	}()
	// Each build of the command starts without a schema. Parsing the built-in one anew takes long, so that is left out
	// where it makes no difference.
	if schemaInForce || r.Schema {
		openapi.ResetOpenAPI()
	}
	schemaInForce = r.Schema
	fs := filesys.MakeFsInMemory()
	for name, text := range r.Files {
		if err := fs.WriteFile(path.Join("/", name), []byte(text)); err != nil {
			return answer{Error: err.Error()}
		}
	}
	options := krusty.MakeDefaultOptions()
	if r.Legacy {
		options.Reorder = krusty.ReorderOptionLegacy
	}
	if r.Free {
		options.LoadRestrictions = types.LoadRestrictionsNone
	}
	resources, err := krusty.MakeKustomizer(options).Run(fs, path.Join("/", r.Root))
	if err != nil {
		return answer{Error: err.Error()}
	}
	text, err := resources.AsYaml()
	if err != nil {
		return answer{Error: err.Error()}
	}
	return answer{Output: string(text)}
}

func main() {
	input := bufio.NewReaderSize(os.Stdin, 1<<20)
	output := json.NewEncoder(os.Stdout)
	output.SetEscapeHTML(false)
	decoder := json.NewDecoder(input)
	for {
		var r request
		if err := decoder.Decode(&r); err != nil {
			return
		}
		if err := output.Encode(build(r)); err != nil {
			return
		}
	}
}
