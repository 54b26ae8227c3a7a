// Command yaml answers questions about Go's YAML libraries: one JSON request per line in, one JSON answer per line out.
//
// Request: {"op": "...", "text": "..."} or {"op": "...", "base64": "..."} for text that is not UTF-8.
// Answer: {"output": "..."} or {"error": "..."}.
package main

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"
	"time"

	yaml2 "go.yaml.in/yaml/v2"
	yaml3 "go.yaml.in/yaml/v3"
	kyaml "sigs.k8s.io/kustomize/kyaml/yaml"
	sigs "sigs.k8s.io/yaml"
)

type request struct {
	Op     string `json:"op"`
	Text   string `json:"text"`
	Base64 string `json:"base64"`
	Indent int    `json:"indent"`
}

type answer struct {
	Output string `json:"output"`
	Error  string `json:"error,omitempty"`
}

// node is the printable form of a v3 node.
type node struct {
	Kind    int     `json:"kind"`
	Style   int     `json:"style,omitempty"`
	Tag     string  `json:"tag,omitempty"`
	Value   string  `json:"value,omitempty"`
	Anchor  string  `json:"anchor,omitempty"`
	Head    string  `json:"head,omitempty"`
	Inline  string  `json:"inline,omitempty"`
	Foot    string  `json:"foot,omitempty"`
	Line    int     `json:"line"`
	Column  int     `json:"column"`
	Content []*node `json:"content,omitempty"`
}

func printable(n *yaml3.Node) *node {
	out := &node{Kind: int(n.Kind), Style: int(n.Style), Tag: n.Tag, Value: n.Value, Anchor: n.Anchor,
		Head: n.HeadComment, Inline: n.LineComment, Foot: n.FootComment, Line: n.Line, Column: n.Column}
	for _, child := range n.Content {
		out.Content = append(out.Content, printable(child))
	}
	return out
}

// decodeTyped reads the typed notation that keeps Go's number kinds apart: {"i": "1"}, {"u": "1"}, {"f": "1.5"}, {"s": base64},
// {"b": true}, {"n": 0}, {"l": [..]}, {"m": [[base64 key, value], ..]}.
func decodeTyped(raw json.RawMessage) (interface{}, error) {
	var object map[string]json.RawMessage
	if err := json.Unmarshal(raw, &object); err != nil {
		return nil, err
	}
	for kind, payload := range object {
		switch kind {
		case "i", "u", "f", "s":
			var text string
			if err := json.Unmarshal(payload, &text); err != nil {
				return nil, err
			}
			switch kind {
			case "i":
				return strconv.ParseInt(text, 10, 64)
			case "u":
				return strconv.ParseUint(text, 10, 64)
			case "f":
				bits, err := strconv.ParseUint(text, 16, 64)
				return math.Float64frombits(bits), err
			default:
				data, err := base64.StdEncoding.DecodeString(text)
				return string(data), err
			}
		case "b":
			var value bool
			err := json.Unmarshal(payload, &value)
			return value, err
		case "n":
			return nil, nil
		case "l":
			var items []json.RawMessage
			if err := json.Unmarshal(payload, &items); err != nil {
				return nil, err
			}
			list := []interface{}{}
			for _, item := range items {
				value, err := decodeTyped(item)
				if err != nil {
					return nil, err
				}
				list = append(list, value)
			}
			return list, nil
		case "m":
			var entries [][2]json.RawMessage
			if err := json.Unmarshal(payload, &entries); err != nil {
				return nil, err
			}
			mapping := map[string]interface{}{}
			for _, entry := range entries {
				var key string
				if err := json.Unmarshal(entry[0], &key); err != nil {
					return nil, err
				}
				data, err := base64.StdEncoding.DecodeString(key)
				if err != nil {
					return nil, err
				}
				value, err := decodeTyped(entry[1])
				if err != nil {
					return nil, err
				}
				mapping[string(data)] = value
			}
			return mapping, nil
		}
	}
	return nil, fmt.Errorf("no value in %s", raw)
}

// typed writes a decoded value in the typed notation (a string, not JSON text, so that nothing is lost).
func typed(out *strings.Builder, value interface{}) {
	switch value := value.(type) {
	case nil:
		out.WriteString("null")
	case bool:
		fmt.Fprintf(out, "bool %v", value)
	case int:
		fmt.Fprintf(out, "int %d", value)
	case int64:
		fmt.Fprintf(out, "int %d", value)
	case uint64:
		fmt.Fprintf(out, "uint %d", value)
	case float64:
		fmt.Fprintf(out, "float %s", strconv.FormatFloat(value, 'g', -1, 64))
	case string:
		fmt.Fprintf(out, "str %x", value)
	case time.Time:
		fmt.Fprintf(out, "time %s", value.Format(time.RFC3339Nano))
	case []interface{}:
		out.WriteString("[")
		for _, item := range value {
			typed(out, item)
			out.WriteString(",")
		}
		out.WriteString("]")
	case map[string]interface{}:
		keys := make([]string, 0, len(value))
		for key := range value {
			keys = append(keys, key)
		}
		sortStrings(keys)
		out.WriteString("{")
		for _, key := range keys {
			fmt.Fprintf(out, "%x:", key)
			typed(out, value[key])
			out.WriteString(",")
		}
		out.WriteString("}")
	default:
		fmt.Fprintf(out, "other %T", value)
	}
}

func sortStrings(keys []string) {
	for i := 1; i < len(keys); i++ {
		for j := i; j > 0 && keys[j] < keys[j-1]; j-- {
			keys[j], keys[j-1] = keys[j-1], keys[j]
		}
	}
}

func encode3(value interface{}, indent int) (string, error) {
	var buffer bytes.Buffer
	encoder := yaml3.NewEncoder(&buffer)
	if indent > 0 {
		encoder.SetIndent(indent)
	}
	if err := encoder.Encode(value); err != nil {
		return "", err
	}
	err := encoder.Close()
	return buffer.String(), err
}

func handle(request *request, text []byte) (output string, err error) {
	defer func() {
		if problem := recover(); problem != nil {
			err = fmt.Errorf("panic: %v", problem)
		}
	}()
	switch request.Op {
	case "v2.json":
		out, err := sigs.YAMLToJSON(text)
		return string(out), err
	case "v2.json.strict":
		out, err := sigs.YAMLToJSONStrict(text)
		return string(out), err
	case "v2.unmarshal":
		var value interface{}
		if err := sigs.Unmarshal(text, &value); err != nil {
			return "", err
		}
		var out strings.Builder
		typed(&out, value)
		return out.String(), nil
	case "v2.roundtrip":
		var value interface{}
		if err := sigs.Unmarshal(text, &value); err != nil {
			return "", err
		}
		out, err := sigs.Marshal(value)
		return string(out), err
	case "v3.pretty", "v2.digest.text":
		var value interface{}
		if err := sigs.Unmarshal(text, &value); err != nil {
			return "", err
		}
		if request.Op == "v3.pretty" {
			return encode3(value, 2)
		}
		out, err := yaml2.Marshal(bytewise(value))
		return string(out), err
	case "v2.raw":
		// goyaml v2 without JSON: MapSlice keeps the order.
		var value interface{}
		if err := yaml2.Unmarshal(text, &value); err != nil {
			return "", err
		}
		out, err := yaml2.Marshal(value)
		return string(out), err
	case "v2.marshal", "v2.plain", "v2.digest", "v3.marshal":
		value, err := decodeTyped(text)
		if err != nil {
			return "", err
		}
		switch request.Op {
		case "v2.marshal":
			out, err := sigs.Marshal(value)
			return string(out), err
		case "v2.plain":
			out, err := yaml2.Marshal(value)
			return string(out), err
		case "v2.digest":
			out, err := yaml2.Marshal(bytewise(value))
			return string(out), err
		}
		return encode3(value, request.Indent)
	case "v3.nodes":
		decoder := yaml3.NewDecoder(bytes.NewReader(text))
		var nodes []*node
		for {
			var document yaml3.Node
			if err := decoder.Decode(&document); err != nil {
				if err.Error() == "EOF" {
					break
				}
				return "", err
			}
			nodes = append(nodes, printable(&document))
		}
		out, err := json.Marshal(nodes)
		return string(out), err
	case "v3.roundtrip":
		// Nodes in, nodes out.
		decoder := yaml3.NewDecoder(bytes.NewReader(text))
		var out strings.Builder
		for {
			var document yaml3.Node
			if err := decoder.Decode(&document); err != nil {
				if err.Error() == "EOF" {
					break
				}
				return "", err
			}
			part, err := encode3(&document, request.Indent)
			if err != nil {
				return "", err
			}
			out.WriteString("=====\n" + part)
		}
		return out.String(), nil
	case "v3.decode":
		var value interface{}
		if err := yaml3.Unmarshal(text, &value); err != nil {
			return "", err
		}
		out, err := json.Marshal(value)
		return string(out), err
	case "v3.typed":
		var value interface{}
		if err := yaml3.Unmarshal(text, &value); err != nil {
			return "", err
		}
		var out strings.Builder
		typed(&out, value)
		return out.String(), nil
	case "kyaml.string":
		parsed, err := kyaml.Parse(string(text))
		if err != nil {
			return "", err
		}
		return parsed.String()
	case "kyaml.wide":
		parsed, err := kyaml.Parse(string(text))
		if err != nil {
			return "", err
		}
		var buffer bytes.Buffer
		encoder := kyaml.NewEncoderWithOptions(&buffer, &kyaml.EncoderOptions{SeqIndent: kyaml.WideSequenceStyle})
		if err := encoder.Encode(parsed.YNode()); err != nil {
			return "", err
		}
		err = encoder.Close()
		return buffer.String(), err
	case "kyaml.deanchor":
		// kyaml overflows the stack on these, which no recover can catch.
		var document yaml3.Node
		if err := yaml3.Unmarshal(text, &document); err == nil && cyclic(&document, nil) {
			return "", fmt.Errorf("an anchor contains itself")
		}
		parsed, err := kyaml.Parse(string(text))
		if err != nil {
			return "", err
		}
		if err := parsed.DeAnchor(); err != nil {
			return "", err
		}
		return parsed.String()
	}
	return "", fmt.Errorf("unknown operation %q", request.Op)
}

func cyclic(n *yaml3.Node, active []*yaml3.Node) bool {
	for _, outer := range active {
		if outer == n {
			return true
		}
	}
	active = append(active, n)
	if n.Alias != nil && cyclic(n.Alias, active) {
		return true
	}
	for _, child := range n.Content {
		if cyclic(child, active) {
			return true
		}
	}
	return false
}

// bytewise turns maps into slices sorted bytewise, as the values digest of helm-controller does.
func bytewise(value interface{}) interface{} {
	switch value := value.(type) {
	case map[string]interface{}:
		keys := make([]string, 0, len(value))
		for key := range value {
			keys = append(keys, key)
		}
		sortStrings(keys)
		slice := yaml2.MapSlice{}
		for _, key := range keys {
			slice = append(slice, yaml2.MapItem{Key: key, Value: bytewise(value[key])})
		}
		return slice
	case []interface{}:
		for i := range value {
			value[i] = bytewise(value[i])
		}
	}
	return value
}

func main() {
	in := bufio.NewReaderSize(os.Stdin, 1<<20)
	out := bufio.NewWriter(os.Stdout)
	for {
		line, err := in.ReadBytes('\n')
		if len(line) == 0 && err != nil {
			return
		}
		var request request
		var reply answer
		if err := json.Unmarshal(line, &request); err != nil {
			reply.Error = "bad request: " + err.Error()
		} else {
			text := []byte(request.Text)
			if request.Base64 != "" {
				text, _ = base64.StdEncoding.DecodeString(request.Base64)
			}
			output, err := handle(&request, text)
			reply.Output = output
			if err != nil {
				reply.Error = err.Error()
				if reply.Error == "" {
					reply.Error = "error"
				}
			}
		}
		data, _ := json.Marshal(reply)
		out.Write(data)
		out.WriteByte('\n')
		out.Flush()
	}
}
