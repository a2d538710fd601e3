-- Every new value is one e-mail at most, under the operator's cap.
local os = require("os")
if obj.metadata.annotations == nil then
  obj.metadata.annotations = {}
end
obj.metadata.annotations["invitation-operator.io/resend"] = os.date("!%Y-%m-%dT%XZ")
return obj
