/// A text that an administrator wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceFile {
    /// As shown to the administrator.
    pub path: String,
    /// The whole file.
    pub text: String,
}

/// A WAV that flows may name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PromptFile {
    /// The file's name without `.wav`.
    pub name: String,
    /// What the media engine opens.
    pub path: String,
    /// Why it cannot be played, where the shell found that out.
    pub error: Option<String>,
}

/// The folder of one client company.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientFiles {
    /// The folder's name.
    pub id: String,
    /// The folder, as shown to the administrator and as the node file names it.
    pub path: String,
    /// Its `*.yaml` files, and the `*.ics` that calendars name.
    pub files: Vec<SourceFile>,
    /// Its prompts.
    pub prompts: Vec<PromptFile>,
}

/// All that makes up a configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Input {
    /// The node file, `ringdown.yaml`.
    pub node: SourceFile,
    /// The folders that [`node_clients`](crate::node_clients) names, in its order.
    pub clients: Vec<ClientFiles>,
    /// Prompts of the system; a client's prompt of the same name takes their place.
    pub system_prompts: Vec<PromptFile>,
}
