// The oracle for the gotemplate crate: what do text/template, fmt, sprig and Helm's data functions do?
//
// Requests and answers are JSON lines. {"template", "data", "funcs": "core"|"sprig"|"helm", "missingkey"} is answered with
// {"expected": TEXT} or {"error": true, "error_text": TEXT}; output that is not UTF-8 comes as {"expected_base64": TEXT}.
// {"printable": true} is answered with the ranges of runes for which strconv.IsPrint holds, {"letters": true} with those
// that template identifiers may hold. With {"repeat": N} the template is executed N times and the answer is {"nanoseconds"} for one.
package main

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"runtime"
	"strconv"
	"strings"
	"text/template"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/BurntSushi/toml"
	"github.com/Masterminds/sprig/v3"
	yamlv3 "go.yaml.in/yaml/v3"
	"sigs.k8s.io/yaml"
)

type request struct {
	Template   string          `json:"template"`
	Data       json.RawMessage `json:"data"`
	Funcs      string          `json:"funcs"`
	MissingKey string          `json:"missingkey"`
	Printable  bool            `json:"printable"`
	Letters    bool            `json:"letters"`
	Repeat     int             `json:"repeat"`
}

type answer struct {
	Expected       *string   `json:"expected,omitempty"`
	ExpectedBase64 *string   `json:"expected_base64,omitempty"`
	Error          bool      `json:"error,omitempty"`
	ErrorText      string    `json:"error_text,omitempty"`
	Ranges         [][2]rune `json:"ranges,omitempty"`
	Nanoseconds    int64     `json:"nanoseconds,omitempty"`
}

func main() {
	go watchMemory()
	in := bufio.NewReaderSize(os.Stdin, 1<<20)
	out := bufio.NewWriter(os.Stdout)
	for {
		line, err := in.ReadBytes('\n')
		if len(bytes.TrimSpace(line)) > 0 {
			text, marshalError := json.Marshal(reply(line))
			if marshalError != nil {
				text = []byte(`{"error":true,"error_text":"cannot encode the answer"}`)
			}
			out.Write(text)
			out.WriteByte('\n')
			out.Flush()
		}
		if err != nil {
			return
		}
	}
}

func reply(line []byte) answer {
	var question request
	if err := json.Unmarshal(line, &question); err != nil {
		return answer{Error: true, ErrorText: "unreadable request: " + err.Error()}
	}
	switch {
	case question.Printable:
		return answer{Ranges: ranges(strconv.IsPrint)}
	case question.Letters:
		return answer{Ranges: ranges(func(r rune) bool { return r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r) })}
	}
	var data any
	if len(question.Data) > 0 {
		decoder := json.NewDecoder(bytes.NewReader(question.Data))
		decoder.UseNumber()
		if err := decoder.Decode(&data); err != nil {
			return answer{Error: true, ErrorText: "unreadable data: " + err.Error()}
		}
	}
	return bounded(question, typed(data))
}

// watchMemory ends the program before a template that makes ever larger values ends the machine.
func watchMemory() {
	for range time.Tick(50 * time.Millisecond) {
		var memory runtime.MemStats
		runtime.ReadMemStats(&memory)
		if memory.HeapAlloc+memory.StackInuse > 1<<30 {
			os.Exit(3)
		}
	}
}

// mostText is more than any sensible template makes: beyond it texts that double in a loop are given up.
const mostText = 1 << 20

// texts are the functions that make texts out of texts, as they are but for a bound on the result.
func texts() template.FuncMap {
	bound := func(text string) (string, error) {
		if len(text) > mostText {
			return "", errors.New("oracle: too large a text")
		}
		return text, nil
	}
	return template.FuncMap{
		"print":    func(args ...any) (string, error) { return bound(fmt.Sprint(args...)) },
		"printf":   func(format string, args ...any) (string, error) { return bound(fmt.Sprintf(format, args...)) },
		"println":  func(args ...any) (string, error) { return bound(fmt.Sprintln(args...)) },
		"html":     func(args ...any) (string, error) { return bound(template.HTMLEscaper(args...)) },
		"js":       func(args ...any) (string, error) { return bound(template.JSEscaper(args...)) },
		"urlquery": func(args ...any) (string, error) { return bound(template.URLQueryEscaper(args...)) },
	}
}

// bounded gives up on a template that runs longer than ten seconds.
func bounded(question request, data any) answer {
	result := make(chan answer, 1)
	go func() { result <- render(question, data) }()
	select {
	case reply := <-result:
		return reply
	case <-time.After(10 * time.Second):
		return answer{Error: true, ErrorText: "oracle: time-out"}
	}
}

func render(question request, data any) (reply answer) {
	defer func() {
		if panicked := recover(); panicked != nil {
			reply = answer{Error: true, ErrorText: fmt.Sprint("oracle: panic: ", panicked)}
		}
	}()
	t := template.New("t").Funcs(texts())
	switch question.Funcs {
	case "sprig":
		t.Funcs(sprig.TxtFuncMap())
	case "helm":
		t.Funcs(sprig.TxtFuncMap())
		t.Funcs(helm())
	}
	if question.MissingKey != "" {
		t.Option("missingkey=" + question.MissingKey)
	}
	t, err := t.Parse(question.Template)
	if err != nil {
		return answer{Error: true, ErrorText: err.Error()}
	}
	started := time.Now()
	for range question.Repeat {
		var output limited
		if err := t.Execute(&output, data); err != nil {
			return answer{Error: true, ErrorText: err.Error()}
		}
	}
	elapsed := time.Since(started).Nanoseconds()
	if question.Repeat > 0 {
		return answer{Nanoseconds: elapsed / int64(question.Repeat)}
	}
	var output limited
	if err := t.Execute(&output, data); err != nil {
		return answer{Error: true, ErrorText: err.Error()}
	}
	text := output.String()
	if !utf8.ValidString(text) {
		encoded := base64.StdEncoding.EncodeToString([]byte(text))
		return answer{ExpectedBase64: &encoded}
	}
	return answer{Expected: &text}
}

type limited struct{ bytes.Buffer }

func (l *limited) Write(p []byte) (int, error) {
	if l.Len()+len(p) > 64<<20 {
		return 0, fmt.Errorf("oracle: too much output")
	}
	return l.Buffer.Write(p)
}

// typed turns JSON numbers into int where they have neither fraction nor exponent, else float64.
func typed(value any) any {
	switch value := value.(type) {
	case json.Number:
		if !strings.ContainsAny(value.String(), ".eE") {
			if number, err := strconv.ParseInt(value.String(), 10, 64); err == nil {
				return int(number)
			}
		}
		number, err := value.Float64()
		if err != nil {
			return math.Inf(1)
		}
		return number
	case []any:
		for i := range value {
			value[i] = typed(value[i])
		}
		return value
	case map[string]any:
		for key := range value {
			value[key] = typed(value[key])
		}
		return value
	}
	return value
}

func ranges(in func(rune) bool) [][2]rune {
	var result [][2]rune
	start := rune(-1)
	for r := rune(0); r <= unicode.MaxRune+1; r++ {
		inside := r <= unicode.MaxRune && in(r)
		if inside && start < 0 {
			start = r
		}
		if !inside && start >= 0 {
			result = append(result, [2]rune{start, r - 1})
			start = -1
		}
	}
	return result
}

// helm is Helm's data functions as its documentation describes them.
func helm() template.FuncMap {
	return template.FuncMap{
		"toYaml": func(v any) string {
			data, err := yaml.Marshal(v)
			if err != nil {
				return ""
			}
			return strings.TrimSuffix(string(data), "\n")
		},
		"mustToYaml": func(v any) string {
			data, err := yaml.Marshal(v)
			if err != nil {
				panic(err)
			}
			return strings.TrimSuffix(string(data), "\n")
		},
		"toYamlPretty": func(v any) string {
			var data bytes.Buffer
			encoder := yamlv3.NewEncoder(&data)
			encoder.SetIndent(2)
			if err := encoder.Encode(v); err != nil {
				return ""
			}
			return strings.TrimSuffix(data.String(), "\n")
		},
		"fromYaml": func(text string) map[string]any {
			m := map[string]any{}
			if err := yaml.Unmarshal([]byte(text), &m); err != nil {
				m["Error"] = err.Error()
			}
			return m
		},
		"fromYamlArray": func(text string) []any {
			a := []any{}
			if err := yaml.Unmarshal([]byte(text), &a); err != nil {
				a = []any{err.Error()}
			}
			return a
		},
		"toJson": func(v any) string {
			data, err := json.Marshal(v)
			if err != nil {
				return ""
			}
			return string(data)
		},
		"mustToJson": func(v any) string {
			data, err := json.Marshal(v)
			if err != nil {
				panic(err)
			}
			return string(data)
		},
		"fromJson": func(text string) map[string]any {
			m := make(map[string]any)
			if err := json.Unmarshal([]byte(text), &m); err != nil {
				m["Error"] = err.Error()
			}
			return m
		},
		"fromJsonArray": func(text string) []any {
			a := []any{}
			if err := json.Unmarshal([]byte(text), &a); err != nil {
				a = []any{err.Error()}
			}
			return a
		},
		"toToml": func(v any) string {
			var data bytes.Buffer
			if err := toml.NewEncoder(&data).Encode(v); err != nil {
				return err.Error()
			}
			return data.String()
		},
		"mustToToml": func(v any) string {
			var data bytes.Buffer
			if err := toml.NewEncoder(&data).Encode(v); err != nil {
				panic(err)
			}
			return data.String()
		},
		"fromToml": func(text string) map[string]any {
			m := make(map[string]any)
			if err := toml.Unmarshal([]byte(text), &m); err != nil {
				m["Error"] = err.Error()
			}
			return m
		},
	}
}
