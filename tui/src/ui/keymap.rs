//! Which keys mean what: the defaults of the actions, and the user's file over them. PLACEHOLDER.
