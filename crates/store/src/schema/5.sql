-- Who is to be called back: a fold of the journal, never a source. A restart goes on with it.
CREATE TABLE callback (
    contact INTEGER PRIMARY KEY,   -- the contact that asked for it
    content TEXT NOT NULL          -- events::CallbackOrder as JSON
);

PRAGMA user_version = 5;
