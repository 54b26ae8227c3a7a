//! Maps that contain themselves, which counting references never frees.
//!
//! Only putting a list or map into a map that exists already can close a circle, so these maps are remembered, weakly.
//! When execution ends, those of them that are still there are searched for circles, and the entries that close one are
//! given up. Templates without such maps pay nothing.

use std::collections::HashMap;
use std::rc::Weak;

use super::map::{Map, Shared};
use super::{List, Value};

/// The maps of one execution that a circle may lead through.
#[derive(Debug, Default)]
pub(crate) struct Circles {
    changed: Vec<Weak<Shared>>,
    /// With more than this many, those that are gone or stand twice are taken out first.
    room: usize,
}

const LEAST_ROOM: usize = 64;

impl Circles {
    /// To be told of each value that is put into a map.
    pub(crate) fn put(&mut self, map: &Map, value: &Value) {
        if !matches!(value, Value::List(_) | Value::Map(_)) {
            return;
        }
        let Some(map) = map.downgrade() else { return };
        if self.changed.last().is_some_and(|last| last.ptr_eq(&map)) {
            return;
        }
        if self.changed.len() >= self.room.max(LEAST_ROOM) {
            self.changed.retain(|map| map.strong_count() > 0);
            self.changed.sort_unstable_by_key(Weak::as_ptr);
            self.changed.dedup_by(|left, right| left.ptr_eq(right));
            self.room = self.changed.len() * 2;
        }
        self.changed.push(map);
    }
}

impl Drop for Circles {
    fn drop(&mut self) {
        let maps: Vec<Map> = self.changed.drain(..).filter_map(|map| Map::upgrade(&map)).collect();
        if maps.is_empty() {
            return;
        }
        let mut graph = Graph::default();
        for map in &maps {
            graph.visit(&Value::Map(map.clone()));
        }
        let mut given_up = Vec::new();
        for map in &maps {
            let Some(component) = graph.component(&Value::Map(map.clone())) else { continue };
            map.take_values(&mut given_up, |value| graph.component(value) == Some(component));
        }
        // Only now: what they lead to may be what was searched.
        drop(graph);
        drop(given_up);
    }
}

/// The values that are reachable from some, and which of them reach one another: Tarjan's strongly connected components,
/// without recursion.
#[derive(Default)]
struct Graph {
    nodes: HashMap<usize, Node>,
    /// Nodes whose component is not complete.
    open: Vec<usize>,
    components: usize,
}

struct Node {
    /// When it was found, and the earliest found that it reaches.
    found: usize,
    reaches: usize,
    component: Option<usize>,
}

struct Frame {
    node: usize,
    children: Vec<Value>,
}

impl Graph {
    fn component(&self, value: &Value) -> Option<usize> {
        self.nodes.get(&address(value)?)?.component
    }

    fn visit(&mut self, start: &Value) {
        let mut path = Vec::new();
        self.enter(&mut path, start);
        while let Some(frame) = path.last_mut() {
            let node = frame.node;
            if let Some(child) = frame.children.pop() {
                if !self.enter(&mut path, &child) {
                    self.reach(node, &child);
                }
                continue;
            }
            path.pop();
            let reaches = self.close(node);
            if let Some(parent) = path.last().and_then(|frame| self.nodes.get_mut(&frame.node)) {
                parent.reaches = parent.reaches.min(reaches);
            }
        }
    }

    /// Goes into a value that was not seen before.
    fn enter(&mut self, path: &mut Vec<Frame>, value: &Value) -> bool {
        let Some(node) = address(value) else { return true };
        if self.nodes.contains_key(&node) {
            return false;
        }
        let found = self.nodes.len();
        self.nodes.insert(node, Node { found, reaches: found, component: None });
        self.open.push(node);
        path.push(Frame { node, children: children(value) });
        true
    }

    /// An edge to a value that was seen before.
    fn reach(&mut self, from: usize, to: &Value) {
        let to = address(to).and_then(|to| self.nodes.get(&to)).filter(|to| to.component.is_none());
        let Some(found) = to.map(|to| to.found) else { return };
        if let Some(from) = self.nodes.get_mut(&from) {
            from.reaches = from.reaches.min(found);
        }
    }

    /// Leaves a node; the component it began, if any, is complete.
    fn close(&mut self, node: usize) -> usize {
        let Some((found, reaches)) = self.nodes.get(&node).map(|node| (node.found, node.reaches)) else { return 0 };
        if found == reaches {
            while let Some(last) = self.open.pop() {
                if let Some(last) = self.nodes.get_mut(&last) {
                    last.component = Some(self.components);
                }
                if last == node {
                    break;
                }
            }
            self.components += 1;
        }
        reaches
    }
}

/// What tells lists and maps apart.
fn address(value: &Value) -> Option<usize> {
    match value {
        Value::Map(map) => map.address(),
        Value::List(list) => list.address(),
        _ => None,
    }
}

/// The lists and maps in a list or map.
fn children(value: &Value) -> Vec<Value> {
    let nests = |value: &&Value| matches!(value, Value::List(_) | Value::Map(_));
    match value {
        Value::Map(map) => map
            .entries()
            .map_or_else(Vec::new, |entries| entries.iter().map(|entry| &entry.1).filter(nests).cloned().collect()),
        Value::List(list) => List::items(list).iter().filter(nests).cloned().collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::Environment;
    use crate::value::live_bytes;
    use crate::{Executor, Templates};

    fn render(text: &str, data: &Value) -> String {
        let mut templates = Templates::new(crate::sprig::functions());
        templates.add("t", text.as_bytes()).unwrap();
        let mut executor = Executor::new(templates, Environment::new(jiff::Timestamp::UNIX_EPOCH));
        executor.execute("t", data.clone()).unwrap().lossy().into_owned()
    }

    #[test]
    fn circles_are_freed() {
        for text in [
            "{{$x := dict}}{{$_ := set $x \"x\" $x}}",
            "{{$x := dict}}{{$_ := set $x \"x\" (list 1 (list $x))}}",
            "{{$x := dict}}{{$y := dict \"x\" $x}}{{$_ := set $x \"y\" $y}}",
            "{{$x := dict}}{{$y := dict}}{{$_ := set $x \"y\" (dict \"y\" $y)}}{{$_ := set $y \"x\" (list $x)}}",
            "{{$x := dict}}{{$_ := merge $x (dict \"x\" $x)}}",
            "{{$x := dict \"a\" 1}}{{$_ := mergeOverwrite $x (dict \"b\" (dict \"x\" $x))}}",
            "{{$_ := set . \"root\" $}}",
            "{{$_ := set .values \"root\" (list $)}}",
            "{{range until 300}}{{$x := dict}}{{$_ := set $x \"x\" $x}}{{$_ := set $.values \"x\" $x}}{{end}}",
            "{{$x := dict}}{{range $i, $_ := until 300}}{{$_ := set $x (toString $i) (dict \"x\" $x)}}{{end}}",
        ] {
            let before = live_bytes();
            let data = Value::map([("values", Value::map([("list", Value::list(vec![Value::Int(1)]))]))]);
            render(text, &data);
            drop(data);
            assert_eq!(live_bytes(), before, "{text}");
        }
    }

    #[test]
    fn values_without_circles_stay_as_templates_left_them() {
        let data = Value::map([("a", Value::map([("b", Value::Int(1))]))]);
        render("{{$_ := set . \"c\" (dict \"same\" .a)}}{{$_ := set .a \"d\" (list (dict))}}", &data);
        assert_eq!(render("{{.}}", &data), "map[a:map[b:1 d:[map[]]] c:map[same:map[b:1 d:[map[]]]]]");
    }
}
