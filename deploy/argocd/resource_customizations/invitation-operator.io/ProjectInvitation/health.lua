-- Health of a ProjectInvitation. Follows kstatus: Stalled waits for a human, Reconciling for anything else.
--
-- An invitation that waits for its person is Healthy, unless spec.readyWhen is Accepted: the operator says so in Ready.
-- Nothing is Degraded before the operator has seen the object as it is now.
local function health(status, message)
  return { status = status, message = message }
end

local function told(condition)
  if condition.message == nil or condition.message == "" then
    return condition.reason
  end
  return condition.reason .. ": " .. condition.message
end

local status = obj.status or {}
local ready, reconciling, stalled
for _, condition in ipairs(status.conditions or {}) do
  if condition.type == "Ready" then
    ready = condition
  elseif condition.type == "Reconciling" and condition.status == "True" then
    reconciling = condition
  elseif condition.type == "Stalled" and condition.status == "True" then
    stalled = condition
  end
end

if obj.metadata.deletionTimestamp ~= nil then
  return health("Progressing", reconciling ~= nil and told(reconciling) or "Being deleted")
end

if obj.spec.suspend == true then
  return health("Suspended", "Suspended: no call is made until spec.suspend is false")
end

if ready == nil or status.observedGeneration ~= obj.metadata.generation then
  return health("Progressing", "Waiting for the operator")
end

if stalled ~= nil then
  return health("Degraded", told(stalled))
end

if reconciling ~= nil then
  -- Who has been invited stays so while MongoDB is slow; an inviter that cannot be used wants to be seen early.
  local inviter = reconciling.reason == "InviterNotFound" or reconciling.reason == "InviterNotReady"
  if ready.status ~= "True" or inviter then
    return health("Progressing", told(reconciling))
  end
end

if ready.status == "True" then
  return health("Healthy", told(ready))
end

return health("Progressing", told(ready))
