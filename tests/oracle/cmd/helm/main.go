// Command helm answers what Helm 4.2.4's packages do: one JSON request per line on stdin, one JSON answer per line.
package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sort"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"helm.sh/helm/v4/pkg/action"
	"helm.sh/helm/v4/pkg/chart/common"
	"helm.sh/helm/v4/pkg/chart/common/util"
	"helm.sh/helm/v4/pkg/chart/loader/archive"
	chart "helm.sh/helm/v4/pkg/chart/v2"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
	chartutil "helm.sh/helm/v4/pkg/chart/v2/util"
	"helm.sh/helm/v4/pkg/ignore"
	release "helm.sh/helm/v4/pkg/release/v1"
	releaseutil "helm.sh/helm/v4/pkg/release/v1/util"
	"helm.sh/helm/v4/pkg/strvals"
	"sigs.k8s.io/yaml"
)

type request struct {
	Op          string            `json:"op"`
	Mode        string            `json:"mode"`
	Text        string            `json:"text"`
	Texts       []string          `json:"texts"`
	Name        string            `json:"name"`
	Directory   bool              `json:"directory"`
	Files       map[string]string `json:"files"`
	Archive     string            `json:"archive"`
	Values      string            `json:"values"`
	Schema      string            `json:"schema"`
	Release     string            `json:"release"`
	Namespace   string            `json:"namespace"`
	KubeVersion string            `json:"kubeVersion"`
	APIVersions []string          `json:"apiVersions"`
	IncludeCRDs bool              `json:"includeCrds"`
	IsUpgrade   bool              `json:"isUpgrade"`
	SkipSchema  bool              `json:"skipSchema"`
	Uninstall   bool              `json:"uninstall"`
	Repeat      int               `json:"repeat"`
}

func main() {
	// Times of archives are written in the local zone.
	time.Local = time.UTC
	log.SetOutput(io.Discard)
	slog.SetDefault(slog.New(slog.NewTextHandler(io.Discard, nil)))
	in := bufio.NewReaderSize(os.Stdin, 1<<20)
	out := bufio.NewWriter(os.Stdout)
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	for {
		line, err := in.ReadBytes('\n')
		if len(bytes.TrimSpace(line)) > 0 {
			encoder.Encode(answer(line))
			out.Flush()
		}
		if err != nil {
			return
		}
	}
}

var watch sync.Once

// watchMemory ends the program before a template that makes ever larger values ends the machine.
func watchMemory() {
	for range time.Tick(50 * time.Millisecond) {
		var memory runtime.MemStats
		runtime.ReadMemStats(&memory)
		if memory.HeapAlloc+memory.StackInuse > 2<<30 {
			os.Exit(3)
		}
	}
}

func answer(line []byte) (result map[string]any) {
	defer func() {
		if r := recover(); r != nil {
			result = map[string]any{"error": fmt.Sprintf("panic: %v", r)}
		}
	}()
	var r request
	if err := json.Unmarshal(line, &r); err != nil {
		return map[string]any{"error": "bad request: " + err.Error()}
	}
	if r.Repeat == 0 {
		// Not while something is measured.
		watch.Do(func() { go watchMemory() })
	}
	value, err := handle(&r)
	if err != nil {
		result = map[string]any{"error": err.Error()}
		if value != nil {
			result["ok"] = value
		}
		return result
	}
	return map[string]any{"ok": value}
}

func handle(r *request) (any, error) {
	switch r.Op {
	case "strvals":
		base, err := common.ReadValues([]byte(r.Values))
		if err != nil {
			return nil, err
		}
		switch r.Mode {
		case "typed":
			err = strvals.ParseInto(r.Text, base)
		case "string":
			err = strvals.ParseIntoString(r.Text, base)
		case "json":
			err = strvals.ParseJSON(r.Text, base)
		case "literal":
			err = strvals.ParseLiteralInto(r.Text, base)
		default:
			err = errors.New("unknown mode")
		}
		if err != nil {
			return nil, err
		}
		return describe(map[string]any(base)), nil
	case "values":
		base := map[string]any{}
		for _, text := range r.Texts {
			loaded, err := loader.LoadValues(strings.NewReader(text))
			if err != nil {
				return nil, err
			}
			base = loader.MergeMaps(base, loaded)
		}
		return describe(base), nil
	case "coalesce":
		c, values, err := prepare(r)
		if err != nil {
			return nil, err
		}
		if r.Mode == "process" {
			if err := chartutil.ProcessDependencies(c, values); err != nil {
				return nil, err
			}
		}
		coalesced, err := util.CoalesceValues(c, values)
		if err != nil {
			return nil, err
		}
		return map[string]any{"values": describe(map[string]any(coalesced)), "chart": describeChart(c)}, nil
	case "template":
		return template(r)
	case "schema":
		values, err := common.ReadValues([]byte(r.Values))
		if err != nil {
			return nil, err
		}
		return true, util.ValidateAgainstSingleSchema(values, []byte(r.Schema))
	case "sort":
		order := releaseutil.InstallOrder
		if r.Uninstall {
			order = releaseutil.UninstallOrder
		}
		hooks, manifests, err := releaseutil.SortManifests(r.Files, nil, order)
		if err != nil {
			return nil, err
		}
		var list []any
		for _, m := range manifests {
			list = append(list, []string{m.Name, m.Content})
		}
		for _, h := range hooks {
			encoded, _ := json.Marshal(h)
			list = append(list, []string{"hook", string(encoded)})
		}
		return list, nil
	case "split":
		documents := releaseutil.SplitManifests(r.Text)
		keys := make([]string, 0, len(documents))
		for key := range documents {
			keys = append(keys, key)
		}
		sort.Sort(releaseutil.BySplitManifestsOrder(keys))
		list := []string{}
		for _, key := range keys {
			list = append(list, documents[key])
		}
		return list, nil
	case "release":
		var decoded release.Release
		if err := json.Unmarshal([]byte(r.Text), &decoded); err != nil {
			return nil, err
		}
		encoded, err := json.Marshal(&decoded)
		return string(encoded), err
	case "record":
		return record(r)
	case "install":
		return installRecord(r)
	case "ignore":
		rules, err := ignore.Parse(strings.NewReader(r.Text))
		if err != nil {
			return nil, err
		}
		rules.AddDefaults()
		return rules.Ignore(r.Name, info{r.Name, r.Directory}), nil
	case "match":
		return filepath.Match(r.Text, r.Name)
	case "kubeversion":
		version, err := common.ParseKubeVersion(r.Text)
		if err != nil {
			return nil, err
		}
		return []string{version.Version, version.String(), version.Major, version.Minor}, nil
	case "compatible":
		return chartutil.IsCompatibleRange(r.Text, r.Name), nil
	case "load":
		c, err := load(r)
		if err != nil {
			return nil, err
		}
		return describeChart(c), nil
	case "json":
		var value any
		if err := yaml.Unmarshal([]byte(r.Text), &value); err != nil {
			return nil, err
		}
		encoded, err := json.Marshal(value)
		return string(encoded), err
	default:
		return nil, fmt.Errorf("unknown op %q", r.Op)
	}
}

func load(r *request) (*chart.Chart, error) {
	if r.Archive != "" {
		data, err := base64.StdEncoding.DecodeString(r.Archive)
		if err != nil {
			return nil, err
		}
		return loader.LoadArchive(bytes.NewReader(data))
	}
	if r.Name != "" {
		return loader.Load(r.Name)
	}
	names := make([]string, 0, len(r.Files))
	for name := range r.Files {
		names = append(names, name)
	}
	slices.Sort(names)
	files := []*archive.BufferedFile{}
	for _, name := range names {
		files = append(files, &archive.BufferedFile{Name: name, Data: []byte(r.Files[name])})
	}
	return loader.LoadFiles(files)
}

func prepare(r *request) (*chart.Chart, map[string]any, error) {
	c, err := load(r)
	if err != nil {
		return nil, nil, err
	}
	values, err := loader.LoadValues(strings.NewReader(r.Values))
	return c, values, err
}

// template renders as `helm template` does and times the part after loading.
func template(r *request) (any, error) {
	repeat := max(r.Repeat, 1)
	var text string
	var elapsed, processor time.Duration
	for range repeat {
		c, values, err := prepare(r)
		if err != nil {
			return nil, err
		}
		start, used := time.Now(), processorTime()
		text, err = install(r, c, values)
		elapsed += time.Since(start)
		processor += processorTime() - used
		if err != nil {
			return nil, err
		}
	}
	return map[string]any{"text": text, "nanoseconds": elapsed.Nanoseconds() / int64(repeat), "cpuNanoseconds": processor.Nanoseconds() / int64(repeat)}, nil
}

// processorTime is what this process has used so far, the garbage collector's threads included.
func processorTime() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

func install(r *request, c *chart.Chart, values map[string]any) (string, error) {
	rel, err := dryRun(r, c, values)
	if err != nil {
		return "", err
	}
	var manifests strings.Builder
	fmt.Fprintln(&manifests, strings.TrimSpace(rel.Manifest))
	for _, h := range rel.Hooks {
		fmt.Fprintf(&manifests, "---\n# Source: %s\n%s\n", h.Path, h.Manifest)
	}
	if rel.Info.Notes != "" {
		fmt.Fprintf(&manifests, "NOTES:\n%s", rel.Info.Notes)
	}
	return manifests.String(), nil
}

func dryRun(r *request, c *chart.Chart, values map[string]any) (*release.Release, error) {
	client := action.NewInstall(new(action.Configuration))
	client.DryRunStrategy = action.DryRunClient
	client.ReleaseName = r.Release
	client.Namespace = r.Namespace
	client.Replace = true
	client.IncludeCRDs = r.IncludeCRDs
	client.IsUpgrade = r.IsUpgrade
	client.SkipSchemaValidation = r.SkipSchema
	client.APIVersions = common.VersionSet(r.APIVersions)
	if r.KubeVersion != "" {
		version, err := common.ParseKubeVersion(r.KubeVersion)
		if err != nil {
			return nil, err
		}
		client.KubeVersion = version
	}
	releaser, err := client.RunWithContext(context.Background(), c, values)
	if err != nil {
		return nil, err
	}
	rel, ok := releaser.(*release.Release)
	if !ok {
		return nil, fmt.Errorf("unexpected %T", releaser)
	}
	return rel, nil
}

func describeChart(c *chart.Chart) string {
	var b strings.Builder
	metadata, _ := json.Marshal(c.Metadata)
	fmt.Fprintf(&b, "%s %s", metadata, describe(c.Values))
	dependencies := slices.Clone(c.Dependencies())
	sort.SliceStable(dependencies, func(i, j int) bool { return dependencies[i].Name() < dependencies[j].Name() })
	for _, d := range dependencies {
		fmt.Fprintf(&b, " [%s]", describeChart(d))
	}
	return b.String()
}

// describe writes values with the kinds of their numbers: `i` for int64, `f` for float64.
func describe(value any) string {
	switch v := value.(type) {
	case nil:
		return "null"
	case bool:
		return strconv.FormatBool(v)
	case int64:
		return "i" + strconv.FormatInt(v, 10)
	case float64:
		return "f" + strconv.FormatFloat(v, 'g', -1, 64)
	case string:
		return strconv.Quote(v)
	case []any:
		parts := make([]string, len(v))
		for i, item := range v {
			parts[i] = describe(item)
		}
		return "[" + strings.Join(parts, ",") + "]"
	case common.Values:
		return describe(map[string]any(v))
	case map[string]any:
		keys := make([]string, 0, len(v))
		for key := range v {
			keys = append(keys, key)
		}
		slices.Sort(keys)
		parts := make([]string, len(keys))
		for i, key := range keys {
			parts[i] = strconv.Quote(key) + ":" + describe(v[key])
		}
		return "{" + strings.Join(parts, ",") + "}"
	default:
		return fmt.Sprintf("?%T", value)
	}
}

// info is a file's description for the ignore rules.
type info struct {
	name      string
	directory bool
}

func (i info) Name() string       { return filepath.Base(i.name) }
func (i info) Size() int64        { return 0 }
func (i info) Mode() fs.FileMode  { return 0o644 }
func (i info) ModTime() time.Time { return time.Time{} }
func (i info) IsDir() bool        { return i.directory }
func (i info) Sys() any           { return nil }
