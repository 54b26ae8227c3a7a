// Command sprig answers what sprig's functions give, called from a template as charts call them.
//
// Request: {"calls": [{"function": ..., "arguments": [...]}]} with values that name their types, or
// {"templates": [{"text": ..., "data": ...}]}; answered by a list.
package main

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"reflect"
	"sort"
	"strconv"
	"strings"
	"text/template"
	"time"

	"github.com/Masterminds/sprig/v3"
)

type call struct {
	Function  string            `json:"function"`
	Arguments []json.RawMessage `json:"arguments"`
}

type document struct {
	Text string         `json:"text"`
	Data map[string]any `json:"data"`
}

// read makes a value of {"int": "5"}, {"string": base64}, {"list": [...]} and so on.
func read(raw json.RawMessage) any {
	var typed map[string]json.RawMessage
	if json.Unmarshal(raw, &typed) != nil {
		return nil
	}
	for kind, body := range typed {
		var text string
		json.Unmarshal(body, &text)
		switch kind {
		case "int":
			n, _ := strconv.Atoi(text)
			return n
		case "int64":
			n, _ := strconv.ParseInt(text, 10, 64)
			return n
		case "float64":
			n, _ := strconv.ParseFloat(text, 64)
			return n
		case "string":
			b, _ := base64.StdEncoding.DecodeString(text)
			return string(b)
		case "bool":
			return text == "true"
		case "list":
			var items []json.RawMessage
			json.Unmarshal(body, &items)
			list := []any{}
			for _, item := range items {
				list = append(list, read(item))
			}
			return list
		case "strings":
			var items []string
			json.Unmarshal(body, &items)
			return items
		case "map":
			var items map[string]json.RawMessage
			json.Unmarshal(body, &items)
			m := map[string]any{}
			for k, item := range items {
				m[k] = read(item)
			}
			return m
		case "time":
			n, zone, _ := strings.Cut(text, " ")
			seconds, nanoseconds, _ := strings.Cut(n, ".")
			s, _ := strconv.ParseInt(seconds, 10, 64)
			ns, _ := strconv.ParseInt(nanoseconds, 10, 64)
			loc, err := time.LoadLocation(zone)
			if err != nil {
				panic(err)
			}
			return time.Unix(s, ns).In(loc)
		}
	}
	return nil
}

// write is the inverse of read, for every type that sprig gives.
func write(v any) any {
	switch v := v.(type) {
	case nil:
		return nil
	case int:
		return map[string]any{"int": strconv.Itoa(v)}
	case int64:
		return map[string]any{"int64": strconv.FormatInt(v, 10)}
	case float64:
		return map[string]any{"float64": strconv.FormatFloat(v, 'g', -1, 64)}
	case string:
		return map[string]any{"string": base64.StdEncoding.EncodeToString([]byte(v))}
	case bool:
		return map[string]any{"bool": strconv.FormatBool(v)}
	}
	r := reflect.ValueOf(v)
	switch r.Kind() {
	case reflect.Slice:
		if r.IsNil() {
			return map[string]any{"nil": r.Type().String()}
		}
		items := []any{}
		for i := range r.Len() {
			items = append(items, write(r.Index(i).Interface()))
		}
		return map[string]any{"slice": items, "type": r.Type().String()}
	case reflect.Map:
		items := map[string]any{}
		for _, k := range r.MapKeys() {
			items[k.String()] = write(r.MapIndex(k).Interface())
		}
		return map[string]any{"map": items, "type": r.Type().String()}
	}
	return map[string]any{"object": fmt.Sprintf("%T", v), "text": fmt.Sprint(v)}
}

// sorted puts into order what Go gives in random order.
func sorted(v any) any {
	r := reflect.ValueOf(v)
	if r.Kind() != reflect.Slice || r.IsNil() {
		return v
	}
	sort.SliceStable(v, func(i, j int) bool {
		a, _ := json.Marshal(write(r.Index(i).Interface()))
		b, _ := json.Marshal(write(r.Index(j).Interface()))
		return string(a) < string(b)
	})
	return v
}

func invoke(c call) map[string]any {
	data := map[string]any{}
	text := "{{capture (" + c.Function
	for i, raw := range c.Arguments {
		name := fmt.Sprintf("a%d", i)
		data[name] = read(raw)
		text += " ." + name
	}
	text += ")}}"
	var result any
	functions := sprig.TxtFuncMap()
	functions["capture"] = func(v any) string {
		if c.Function == "keys" || c.Function == "values" {
			v = sorted(v)
		}
		result = write(v)
		return ""
	}
	answer := map[string]any{}
	t, err := template.New("t").Funcs(functions).Parse(text)
	if err == nil {
		err = t.Execute(&strings.Builder{}, data)
	}
	if err != nil {
		return map[string]any{"error": err.Error()}
	}
	answer["result"] = result
	after := []any{}
	for i := range c.Arguments {
		after = append(after, write(data[fmt.Sprintf("a%d", i)]))
	}
	answer["after"] = after
	return answer
}

func render(d document) map[string]any {
	t, err := template.New("t").Funcs(sprig.TxtFuncMap()).Parse(d.Text)
	var out strings.Builder
	if err == nil {
		err = t.Execute(&out, d.Data)
	}
	if err != nil {
		return map[string]any{"error": err.Error()}
	}
	return map[string]any{"output": out.String()}
}

// certificateCheck asks whether a certificate fits its key, its authority and a host name.
type certificateCheck struct {
	Authority   string `json:"authority"`
	Certificate string `json:"certificate"`
	Key         string `json:"key"`
	Time        int64  `json:"time"`
	Name        string `json:"name"`
	CommonName  string `json:"common_name"`
}

// verify gives what is wrong, or nothing.
func verify(c certificateCheck) string {
	pair, err := tls.X509KeyPair([]byte(c.Certificate), []byte(c.Key))
	if err != nil {
		return err.Error()
	}
	leaf, err := x509.ParseCertificate(pair.Certificate[0])
	if err != nil {
		return err.Error()
	}
	if leaf.Subject.CommonName != c.CommonName {
		return "common name " + leaf.Subject.CommonName
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM([]byte(c.Authority)) {
		return "no authority"
	}
	_, err = leaf.Verify(x509.VerifyOptions{
		Roots: roots, DNSName: c.Name, CurrentTime: time.Unix(c.Time+60, 0),
		KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	})
	if err != nil {
		return err.Error()
	}
	return ""
}

// checkDSA gives what is wrong with a DSA key in the form that sprig writes, or nothing.
func checkDSA(text string) string {
	block, rest := pem.Decode([]byte(text))
	if block == nil || block.Type != "DSA PRIVATE KEY" || len(rest) > 0 {
		return "not one PEM block of a DSA key"
	}
	var key struct {
		Version       int
		P, Q, G, Y, X *big.Int
	}
	if rest, err := asn1.Unmarshal(block.Bytes, &key); err != nil || len(rest) > 0 {
		return fmt.Sprint("DER: ", err, len(rest))
	}
	one := big.NewInt(1)
	switch {
	case key.Version != 0 || key.P.BitLen() != 2048 || key.Q.BitLen() != 256:
		return fmt.Sprint("version ", key.Version, ", ", key.P.BitLen(), " and ", key.Q.BitLen(), " bits")
	case !key.P.ProbablyPrime(20) || !key.Q.ProbablyPrime(20):
		return "not prime"
	case new(big.Int).Mod(new(big.Int).Sub(key.P, one), key.Q).Sign() != 0:
		return "q does not divide p-1"
	case new(big.Int).Exp(key.G, key.Q, key.P).Cmp(one) != 0 || key.G.Cmp(one) <= 0:
		return "g is no generator"
	case new(big.Int).Exp(key.G, key.X, key.P).Cmp(key.Y) != 0:
		return "the public key is not that of the private one"
	}
	return ""
}

func main() {
	decoder := json.NewDecoder(bufio.NewReaderSize(os.Stdin, 1<<20))
	encoder := json.NewEncoder(os.Stdout)
	for {
		var req struct {
			Calls        []call             `json:"calls"`
			Templates    []document         `json:"templates"`
			Certificates []certificateCheck `json:"certificates"`
			DSAKeys      []string           `json:"dsa_keys"`
			Names        bool               `json:"names"`
		}
		if err := decoder.Decode(&req); err != nil {
			return
		}
		answers := []any{}
		for _, c := range req.Calls {
			answers = append(answers, invoke(c))
		}
		for _, d := range req.Templates {
			answers = append(answers, render(d))
		}
		for _, c := range req.Certificates {
			answers = append(answers, verify(c))
		}
		for _, key := range req.DSAKeys {
			answers = append(answers, checkDSA(key))
		}
		if req.Names {
			for name := range sprig.TxtFuncMap() {
				answers = append(answers, name)
			}
		}
		if err := encoder.Encode(answers); err != nil {
			return
		}
	}
}
