-- What can be asked of an inviter now.
local actions = {}
actions["refresh"] = {
  ["disabled"] = obj.metadata.deletionTimestamp ~= nil,
  ["displayName"] = "Check the credentials now",
  ["iconClass"] = "fa fa-fw fa-sync",
}
return actions
