//! All operations that the document of a node lists.

use serde_json::Value;

/// One operation.
#[derive(Clone, Debug)]
pub(crate) struct Operation {
    pub(crate) method: String,
    pub(crate) path: String,
    /// Any of them is needed; none if everybody may.
    pub(crate) scopes: Vec<String>,
}

impl Operation {
    /// Its path with what stands for its parts.
    pub(crate) fn path_with(&self, parts: &[(&str, &str)]) -> String {
        let path = parts
            .iter()
            .fold(self.path.clone(), |path, (name, value)| path.replace(&format!("{{{name}}}"), value));
        assert!(!path.contains('{'), "{path}: nothing stands for a part of it");
        path
    }
}

/// Those of a document.
pub(crate) fn operations(document: &Value) -> Vec<Operation> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let mut all = Vec::new();
    for (path, operations) in document["paths"].as_object().expect("paths") {
        for (method, operation) in operations.as_object().expect("operations") {
            let required = operation["security"].as_array().unwrap_or_else(|| panic!("{path} says who may"));
            let scopes = required.iter().flat_map(|it| it["token"].as_array().into_iter().flatten());
            let (method, path) = (method.to_uppercase(), path.clone());
            all.push(Operation { method, path, scopes: scopes.filter_map(text).collect() });
        }
    }
    assert!(all.len() > 40, "the document lists what there is: {all:?}");
    all
}
