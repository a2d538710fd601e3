package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"

	lua "github.com/yuin/gopher-lua"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	luajson "layeh.com/gopher-json"
)

// Argo CD gives a script no longer.
const timeLimit = time.Second

type verdict struct {
	Status  string `json:"status"`
	Message string `json:"message,omitempty"`
}

// Folder of a kind, as Argo CD lays its customizations out.
func folderOf(customizations string, object *unstructured.Unstructured) string {
	kind := object.GroupVersionKind()
	return filepath.Join(customizations, kind.Group, kind.Kind)
}

func health(customizations string, object *unstructured.Unstructured) (any, error) {
	table, err := runScript(filepath.Join(folderOf(customizations, object), "health.lua"), object)
	if err != nil {
		return nil, err
	}
	var found verdict
	if err := json.Unmarshal(table, &found); err != nil {
		return nil, err
	}
	switch found.Status {
	case "Unknown", "Progressing", "Suspended", "Healthy", "Degraded", "Missing":
		return found, nil
	}
	return nil, fmt.Errorf("%q is no health that Argo CD knows", found.Status)
}

func act(customizations, action string, object *unstructured.Unstructured) (map[string]any, error) {
	script := filepath.Join(folderOf(customizations, object), "actions", action, "action.lua")
	table, err := runScript(script, object)
	if err != nil {
		return nil, err
	}
	changed := map[string]any{}
	if err := json.Unmarshal(table, &changed); err != nil {
		return nil, err
	}
	// Lua cannot tell an empty map from an empty list; Argo CD restores what the object had.
	restoreEmptyMaps(changed, object.Object)
	return changed, nil
}

type offer struct {
	Disabled    bool   `json:"disabled,omitempty"`
	IconClass   string `json:"iconClass,omitempty"`
	DisplayName string `json:"displayName,omitempty"`
}

func discover(customizations string, object *unstructured.Unstructured) (map[string]offer, error) {
	script := filepath.Join(folderOf(customizations, object), "actions", "discovery.lua")
	table, err := runScript(script, object)
	if err != nil {
		return nil, err
	}
	raw := map[string]json.RawMessage{}
	if err := json.Unmarshal(table, &raw); err != nil {
		return nil, err
	}
	offers := map[string]offer{}
	for name, value := range raw {
		var found offer
		// An action without attributes is an empty table, and an empty table is a list.
		if string(value) != "[]" {
			if err := json.Unmarshal(value, &found); err != nil {
				return nil, err
			}
		}
		offers[name] = found
	}
	return offers, nil
}

// Runs a script with what Argo CD gives to scripts from its ConfigMap, and no more: the basic functions, tables, modules,
// and of the operating system the time. What works so works with its own, larger set, too.
func runScript(path string, object *unstructured.Unstructured) ([]byte, error) {
	script, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	state := lua.NewState(lua.Options{SkipOpenLibs: true})
	defer state.Close()
	for name, open := range map[string]lua.LGFunction{
		lua.LoadLibName: lua.OpenPackage,
		lua.BaseLibName: lua.OpenBase,
		lua.TabLibName:  lua.OpenTable,
	} {
		call := lua.P{Fn: state.NewFunction(open), NRet: 0, Protect: true}
		if err := state.CallByParam(call, lua.LString(name)); err != nil {
			return nil, err
		}
	}
	state.PreloadModule(lua.OsLibName, clock)
	ctx, cancel := context.WithTimeout(context.Background(), timeLimit)
	defer cancel()
	state.SetContext(ctx)
	state.SetGlobal("actionParams", state.NewTable())
	state.SetGlobal("obj", valueOf(state, object.Object))
	if err := state.DoString(string(script)); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	returned := state.Get(-1)
	if returned.Type() != lua.LTTable {
		return nil, fmt.Errorf("%s returns a %s, not a table", path, returned.Type())
	}
	return luajson.Encode(returned)
}

// The two functions that Argo CD leaves of the library "os".
func clock(state *lua.LState) int {
	full := state.NewTable()
	state.Push(state.NewFunction(lua.OpenOs))
	state.Call(0, 0)
	if library, ok := state.GetGlobal(lua.OsLibName).(*lua.LTable); ok {
		full.RawSetString("time", library.RawGetString("time"))
		full.RawSetString("date", library.RawGetString("date"))
	}
	state.SetGlobal(lua.OsLibName, lua.LNil)
	state.Push(full)
	return 1
}

func valueOf(state *lua.LState, value any) lua.LValue {
	switch value := value.(type) {
	case bool:
		return lua.LBool(value)
	case string:
		return lua.LString(value)
	case int64:
		return lua.LNumber(value)
	case float64:
		return lua.LNumber(value)
	case []any:
		table := state.CreateTable(len(value), 0)
		for _, item := range value {
			table.Append(valueOf(state, item))
		}
		return table
	case map[string]any:
		table := state.CreateTable(0, len(value))
		for key, item := range value {
			table.RawSetString(key, valueOf(state, item))
		}
		return table
	}
	return lua.LNil
}

func restoreEmptyMaps(changed, before map[string]any) {
	for key, old := range before {
		oldMap, isMap := old.(map[string]any)
		if !isMap {
			continue
		}
		switch now := changed[key].(type) {
		case map[string]any:
			restoreEmptyMaps(now, oldMap)
		case []any:
			if len(now) == 0 {
				changed[key] = map[string]any{}
			}
		}
	}
}
