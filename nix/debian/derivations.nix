# The derivations that the file names, a list of JSON: what `derivation` takes, with the store paths that the build reads as `sources`.
# Nothing is evaluated but data.
{ file }:
let
  known = text: paths: builtins.appendContext text (builtins.listToAttrs (map (name: { inherit name; value = { path = true; }; }) paths));
  make = wanted: derivation (removeAttrs wanted [ "sources" ] // { recipe = known wanted.recipe wanted.sources; });
in
map make (builtins.fromJSON (builtins.readFile file))
