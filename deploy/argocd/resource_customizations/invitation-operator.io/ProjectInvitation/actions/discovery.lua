-- What can be asked of a ProjectInvitation now. While it is suspended or being deleted the operator looks at nothing.
local suspended = obj.spec.suspend == true
local deleting = obj.metadata.deletionTimestamp ~= nil
local accepted = obj.status ~= nil and obj.status.phase == "Accepted"

local actions = {}
actions["refresh"] = {
  ["disabled"] = suspended or deleting,
  ["displayName"] = "Look at MongoDB now",
  ["iconClass"] = "fa fa-fw fa-sync",
}
actions["resend"] = {
  ["disabled"] = suspended or deleting or accepted,
  ["displayName"] = "Cancel and invite again (sends an e-mail)",
  ["iconClass"] = "fa fa-fw fa-envelope",
}
actions["suspend"] = {
  ["disabled"] = suspended or deleting,
  ["displayName"] = "Suspend",
  ["iconClass"] = "fa fa-fw fa-pause-circle",
}
actions["resume"] = {
  ["disabled"] = not suspended or deleting,
  ["displayName"] = "Resume",
  ["iconClass"] = "fa fa-fw fa-play-circle",
}
return actions
