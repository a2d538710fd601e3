package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"sort"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

type healthCases struct {
	Tests []struct {
		InputPath    string  `json:"inputPath"`
		HealthStatus verdict `json:"healthStatus"`
	} `json:"tests"`
}

type actionCases struct {
	DiscoveryTests []struct {
		InputPath string `json:"inputPath"`
		Result    []struct {
			Name string `json:"name"`
			offer
		} `json:"result"`
	} `json:"discoveryTests"`
	ActionTests []struct {
		Action             string `json:"action"`
		InputPath          string `json:"inputPath"`
		ExpectedOutputPath string `json:"expectedOutputPath"`
	} `json:"actionTests"`
}

type tally struct {
	Health    int `json:"health"`
	Discovery int `json:"discovery"`
	Actions   int `json:"actions"`
}

// Runs every case that lies beside the scripts, as Argo CD's own tests do, and tells how many there were.
func runCases(customizations string) error {
	var count tally
	var failures []error
	err := filepath.WalkDir(customizations, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		switch entry.Name() {
		case "health_test.yaml":
			failures = append(failures, runHealthCases(customizations, path, &count)...)
		case "action_test.yaml":
			failures = append(failures, runActionCases(customizations, path, &count)...)
		}
		return nil
	})
	if err := errors.Join(append(failures, err)...); err != nil {
		return err
	}
	return answer(count)
}

func runHealthCases(customizations, path string, count *tally) (failures []error) {
	var cases healthCases
	if err := read(path, &cases); err != nil {
		return []error{err}
	}
	for _, test := range cases.Tests {
		count.Health++
		input := filepath.Join(filepath.Dir(path), test.InputPath)
		object, err := readObject(input)
		if err == nil {
			var found any
			found, err = health(customizations, object)
			if err == nil && found != test.HealthStatus {
				err = fmt.Errorf("is %+v, must be %+v", found, test.HealthStatus)
			}
		}
		if err != nil {
			failures = append(failures, fmt.Errorf("%s: %w", input, err))
		}
	}
	return failures
}

func runActionCases(customizations, path string, count *tally) (failures []error) {
	var cases actionCases
	if err := read(path, &cases); err != nil {
		return []error{err}
	}
	folder := filepath.Dir(path)
	fail := func(input string, err error) {
		if err != nil {
			failures = append(failures, fmt.Errorf("%s: %w", input, err))
		}
	}
	for _, test := range cases.DiscoveryTests {
		count.Discovery++
		input := filepath.Join(folder, test.InputPath)
		object, err := readObject(input)
		if err != nil {
			fail(input, err)
			continue
		}
		found, err := discover(customizations, object)
		wanted := map[string]offer{}
		for _, one := range test.Result {
			wanted[one.Name] = one.offer
		}
		if err == nil && !reflect.DeepEqual(found, wanted) {
			err = fmt.Errorf("offers %+v, must offer %+v", found, wanted)
		}
		fail(input, err)
	}
	for _, test := range cases.ActionTests {
		count.Actions++
		input := filepath.Join(folder, test.InputPath)
		fail(input+": "+test.Action, runActionCase(customizations, test.Action, input, filepath.Join(folder, test.ExpectedOutputPath)))
	}
	return failures
}

func runActionCase(customizations, action, input, expected string) error {
	object, err := readObject(input)
	if err != nil {
		return err
	}
	wanted, err := readObject(expected)
	if err != nil {
		return err
	}
	changed, err := act(customizations, action, object)
	if err != nil {
		return err
	}
	moments(changed, wanted.Object)
	// Lua knows one kind of numbers only.
	now, err := json.Marshal(changed)
	if err != nil {
		return err
	}
	then, err := json.Marshal(wanted.Object)
	if err != nil {
		return err
	}
	if string(now) != string(then) {
		return fmt.Errorf("makes\n%s\nmust make\n%s", now, then)
	}
	return nil
}

// An annotation whose expected value is a moment may be any later moment.
func moments(changed, wanted map[string]any) {
	expected, _, _ := unstructured.NestedStringMap(wanted, "metadata", "annotations")
	names := make([]string, 0, len(expected))
	for name := range expected {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		earliest, err := time.Parse(time.RFC3339, expected[name])
		if err != nil {
			continue
		}
		found, _, _ := unstructured.NestedString(changed, "metadata", "annotations", name)
		if moment, err := time.Parse(time.RFC3339, found); err == nil && !moment.Before(earliest) {
			_ = unstructured.SetNestedField(changed, expected[name], "metadata", "annotations", name)
		}
	}
}

func read(path string, into any) error {
	content, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := yaml.UnmarshalStrict(content, into); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

func readObject(path string) (*unstructured.Unstructured, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	content, err = yaml.YAMLToJSON(content)
	if err != nil {
		return nil, err
	}
	object := &unstructured.Unstructured{}
	return object, object.UnmarshalJSON(content)
}
